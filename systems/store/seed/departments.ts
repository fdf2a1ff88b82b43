/** A category: what it sells, made of what, in which sizes and between which prices (minor units). */
export interface SeedCategory {
  readonly id: string
  readonly name: string
  readonly nouns: readonly string[]
  readonly materials: readonly string[]
  readonly sizes: readonly string[]
  readonly priceFrom: number
  readonly priceTo: number
}

/** A department: its categories, and the words that fit everything in it. */
export interface SeedDepartment {
  readonly id: string
  readonly name: string
  /** First three letters of its stock keeping units. */
  readonly code: string
  readonly traits: readonly string[]
  readonly uses: readonly string[]
  readonly categories: readonly SeedCategory[]
}

function category(
  id: string,
  name: string,
  euros: readonly [from: number, to: number],
  lists: { readonly nouns: string; readonly materials: string; readonly sizes: string },
): SeedCategory {
  return {
    id,
    name,
    nouns: words(lists.nouns),
    materials: words(lists.materials),
    sizes: words(lists.sizes),
    priceFrom: euros[0] * 100,
    priceTo: euros[1] * 100,
  }
}

function words(list: string): readonly string[] {
  return list.split(', ')
}

/** What the store sells. Every list is written for this store; the generator combines them. */
export const departments: readonly SeedDepartment[] = [
  {
    id: 'kitchen',
    name: 'Kitchen',
    code: 'KIT',
    traits: words('brushed, stackable, heavy, compact, hand-finished, dishwasher-safe, rounded, everyday'),
    uses: words('small kitchens, Sunday breakfasts, batch cooking, big families, open kitchens, first flats'),
    categories: [
      category('kitchen-kettles', 'Kettles and pots', [15, 140], {
        nouns: 'kettle, teapot, saucepan, stockpot, milk pan',
        materials: 'stainless steel, cast iron, copper, enamel',
        sizes: '0.8 l, 1.2 l, 1.7 l, 2.5 l, 4 l',
      }),
      category('kitchen-knives', 'Knives and boards', [6, 190], {
        nouns: 'chef knife, bread knife, paring knife, carving knife, cleaver',
        materials: 'carbon steel, stainless steel, Damascus steel, ceramic',
        sizes: '9 cm, 14 cm, 18 cm, 21 cm, 26 cm',
      }),
      category('kitchen-baking', 'Baking', [4, 60], {
        nouns: 'loaf tin, mixing bowl, baking tray, tart tin, cake stand',
        materials: 'tinplate, stoneware, glass, stainless steel',
        sizes: '20 cm, 24 cm, 26 cm, 28 cm, 32 cm',
      }),
      category('kitchen-tableware', 'Tableware', [5, 120], {
        nouns: 'dinner plates, soup bowls, mugs, dessert plates, tumblers',
        materials: 'stoneware, porcelain, enamel, bone china',
        sizes: 'single, set of 2, set of 4, set of 6',
      }),
      category('kitchen-storage', 'Food storage', [3, 70], {
        nouns: 'storage jar, bread bin, lunch box, flour bin, canister',
        materials: 'glass, tinplate, bamboo, stoneware, stainless steel',
        sizes: '0.5 l, 1 l, 1.5 l, 3 l, 8 l',
      }),
    ],
  },
  {
    id: 'home',
    name: 'Home',
    code: 'HOM',
    traits: words('slim, warm, plain, low, Nordic, understated, handmade, generous'),
    uses: words('reading corners, narrow halls, guest rooms, long evenings, rented flats, bright rooms'),
    categories: [
      category('home-lighting', 'Lighting', [12, 320], {
        nouns: 'desk lamp, floor lamp, table lamp, pendant lamp, wall lamp',
        materials: 'brass, smoked glass, oak, powder-coated steel, paper',
        sizes: '25 cm, 40 cm, 60 cm, 140 cm',
      }),
      category('home-furniture', 'Furniture', [29, 900], {
        nouns: 'side table, bookshelf, stool, armchair, bench',
        materials: 'oak, walnut, ash, birch plywood, rattan',
        sizes: 'narrow, medium, wide, extra wide',
      }),
      category('home-textiles', 'Textiles', [8, 240], {
        nouns: 'blanket, rug, curtain, throw, bedspread',
        materials: 'linen, wool, cotton, alpaca, hemp',
        sizes: '80 x 120 cm, 130 x 170 cm, 140 x 200 cm, 170 x 240 cm',
      }),
      category('home-decoration', 'Decoration', [5, 150], {
        nouns: 'vase, picture frame, mirror, candle holder, wall clock',
        materials: 'ceramic, oak, brass, recycled glass, marble',
        sizes: 'small, medium, large, extra large',
      }),
      category('home-order', 'Storage and order', [6, 180], {
        nouns: 'laundry basket, coat rack, shoe rack, umbrella stand, storage box',
        materials: 'rattan, steel wire, felt, bamboo, seagrass',
        sizes: 'small, medium, large, extra large',
      }),
    ],
  },
  {
    id: 'garden',
    name: 'Garden',
    code: 'GAR',
    traits: words('frost-proof, lightweight, traditional, rust-free, weathered, folding, sturdy, deep'),
    uses: words('balconies, raised beds, city gardens, dry summers, allotments, autumn days'),
    categories: [
      category('garden-tools', 'Garden tools', [6, 95], {
        nouns: 'spade, hand rake, hoe, bulb planter, garden fork',
        materials: 'forged steel, stainless steel, copper, carbon steel',
        sizes: '30 cm, 60 cm, 90 cm, 120 cm',
      }),
      category('garden-pots', 'Pots and planters', [4, 130], {
        nouns: 'flower pot, window box, hanging planter, plant trough, herb pot',
        materials: 'terracotta, zinc, cedar, glazed clay, fibre cement',
        sizes: '2 l, 5 l, 10 l, 25 l, 60 l',
      }),
      category('garden-watering', 'Watering', [5, 110], {
        nouns: 'watering can, plant mister, rain barrel, drip can, spray bottle',
        materials: 'galvanised steel, copper, recycled plastic, zinc',
        sizes: '0.5 l, 1.5 l, 5 l, 9 l',
      }),
      category('garden-furniture', 'Garden furniture', [25, 700], {
        nouns: 'garden chair, garden table, deck chair, garden bench, lounger',
        materials: 'teak, acacia, powder-coated steel, aluminium',
        sizes: 'compact, standard, wide, set of 2',
      }),
      category('garden-wildlife', 'Wildlife', [5, 80], {
        nouns: 'bird feeder, nesting box, insect hotel, bird bath, hedgehog house',
        materials: 'larch wood, pine, wood concrete, terracotta',
        sizes: 'small, medium, large, twin pack',
      }),
    ],
  },
  {
    id: 'outdoor',
    name: 'Outdoor',
    code: 'OUT',
    traits: words('ultralight, weatherproof, alpine, packable, three-season, reinforced, hard-wearing, minimalist'),
    uses: words('winter tours, hut nights, long trails, wet weather, weekend trips, alpine starts'),
    categories: [
      category('outdoor-tents', 'Tents and shelters', [45, 850], {
        nouns: 'tunnel tent, tarp, bivouac shelter, dome tent, pyramid tent',
        materials: 'ripstop nylon, polycotton, recycled polyester, silnylon',
        sizes: '1 person, 2 persons, 3 persons, 4 persons',
      }),
      category('outdoor-packs', 'Packs and bags', [18, 320], {
        nouns: 'rucksack, dry bag, duffel bag, day pack, roll-top bag',
        materials: 'ripstop nylon, waxed cotton, canvas, recycled polyester',
        sizes: '12 l, 20 l, 32 l, 45 l, 65 l',
      }),
      category('outdoor-sleeping', 'Sleeping', [20, 480], {
        nouns: 'sleeping bag, sleeping mat, camp quilt, bag liner, camp bed',
        materials: 'down, hollow fibre, merino, recycled polyester',
        sizes: 'short, regular, long, wide',
      }),
      category('outdoor-cooking', 'Camp cooking', [7, 160], {
        nouns: 'mess tin, vacuum flask, camp mug, camp pot, water bottle',
        materials: 'titanium, aluminium, stainless steel, enamel',
        sizes: '0.3 l, 0.5 l, 0.75 l, 1 l, 1.5 l',
      }),
      category('outdoor-wear', 'Outdoor wear', [15, 420], {
        nouns: 'rain jacket, pair of trekking trousers, base layer, fleece jacket, windbreaker',
        materials: 'merino, recycled polyester, waxed cotton, nylon',
        sizes: 'XS, S, M, L, XL',
      }),
    ],
  },
  {
    id: 'office',
    name: 'Office',
    code: 'OFF',
    traits: words('plain, slim, classic, tidy, elegant, robust, everyday, minimal'),
    uses: words('home offices, quick thoughts, drawing tables, tidy desks, long meetings, shared rooms'),
    categories: [
      category('office-paper', 'Paper and notebooks', [2, 45], {
        nouns: 'ruled notebook, sketchbook, dotted notebook, calendar, writing pad',
        materials: 'recycled paper, cotton paper, stone paper, grass paper',
        sizes: 'A6, A5, B5, A4',
      }),
      category('office-writing', 'Writing', [2, 180], {
        nouns: 'fountain pen, mechanical pencil, ballpoint pen, rollerball pen, brush pen',
        materials: 'brass, aluminium, cherry wood, resin',
        sizes: 'extra fine, fine, medium, broad',
      }),
      category('office-desk', 'Desk', [4, 160], {
        nouns: 'desk organiser, monitor stand, letter tray, desk mat, bookend',
        materials: 'birch plywood, leather, cork, steel mesh, walnut',
        sizes: 'small, medium, large, extra wide',
      }),
      category('office-filing', 'Filing', [3, 90], {
        nouns: 'ring binder, archive box, magazine file, document wallet, clipboard',
        materials: 'recycled cardboard, linen, leather, steel',
        sizes: 'A5, A4, single, pack of 3, pack of 5',
      }),
      category('office-seating', 'Desks and seating', [60, 950], {
        nouns: 'office chair, sit-stand desk, writing desk, saddle stool, conference chair',
        materials: 'oak, beech, recycled mesh, aluminium',
        sizes: 'compact, standard, wide, extra wide',
      }),
    ],
  },
  {
    id: 'tools',
    name: 'Workshop',
    code: 'TOO',
    traits: words('forged, precise, balanced, slim, heavy-duty, professional, compact, long-lasting'),
    uses: words('bicycle repairs, furniture building, fitting work, tight corners, daily site work, model making'),
    categories: [
      category('tools-hand', 'Hand tools', [5, 140], {
        nouns: 'screwdriver, claw hammer, pair of pliers, adjustable spanner, chisel',
        materials: 'chrome vanadium, hardened steel, tool steel',
        sizes: '6 mm, 10 mm, 13 mm, 150 mm, 250 mm',
      }),
      category('tools-measuring', 'Measuring', [4, 210], {
        nouns: 'tape measure, spirit level, calliper, folding rule, try square',
        materials: 'aluminium, spring steel, brass, beech wood',
        sizes: '150 mm, 300 mm, 600 mm, 2 m, 5 m',
      }),
      category('tools-cutting', 'Sawing and cutting', [6, 170], {
        nouns: 'hand saw, hacksaw, pruning saw, dovetail saw, coping saw',
        materials: 'tool steel, bimetal, hardened steel',
        sizes: '150 mm, 250 mm, 300 mm, 400 mm',
      }),
      category('tools-power', 'Power tools', [35, 520], {
        nouns: 'cordless drill, jigsaw, orbital sander, heat gun, rotary tool',
        materials: 'glass-filled nylon, magnesium, aluminium',
        sizes: '12 V, 18 V, 36 V, 230 V',
      }),
      category('tools-storage', 'Workshop storage', [8, 260], {
        nouns: 'tool box, tool roll, parts cabinet, tool bag, saw horse',
        materials: 'sheet steel, canvas, oak, polypropylene',
        sizes: 'small, medium, large, 12 drawers, 36 drawers',
      }),
    ],
  },
  {
    id: 'sports',
    name: 'Sports',
    code: 'SPO',
    traits: words('grippy, balanced, adjustable, light, soft, competition, training, reflective'),
    uses: words('early mornings, club evenings, beginners, home training, long days, old hands'),
    categories: [
      category('sports-cycling', 'Cycling', [8, 260], {
        nouns: 'saddle bag, bicycle pump, cycling helmet, handlebar bag, bottle cage',
        materials: 'carbon fibre, aluminium, recycled nylon, waxed canvas',
        sizes: 'S, M, L, universal',
      }),
      category('sports-running', 'Running', [7, 190], {
        nouns: 'running belt, running cap, running vest, running jacket, arm pocket',
        materials: 'microfibre, merino, mesh, recycled polyester',
        sizes: 'XS, S, M, L, XL',
      }),
      category('sports-fitness', 'Fitness', [6, 240], {
        nouns: 'kettlebell, dumbbell, medicine ball, weight plate, sandbag',
        materials: 'cast iron, natural rubber, neoprene, steel',
        sizes: '2 kg, 4 kg, 8 kg, 12 kg, 16 kg',
      }),
      category('sports-water', 'Water sports', [9, 380], {
        nouns: 'pair of swim fins, wetsuit, swim cap, neoprene vest, pair of water shoes',
        materials: 'limestone neoprene, natural rubber, silicone',
        sizes: 'XS, S, M, L, XL',
      }),
      category('sports-balls', 'Ball games', [6, 150], {
        nouns: 'football, volleyball, handball, rugby ball, basketball',
        materials: 'natural rubber, synthetic leather, leather, microfibre',
        sizes: 'size 3, size 4, size 5, size 7',
      }),
    ],
  },
  {
    id: 'play',
    name: 'Games and play',
    code: 'PLA',
    traits: words('cooperative, colourful, classic, pocket-sized, illustrated, quiet, clever, award-winning'),
    uses: words('rainy days, long train rides, family evenings, birthday parties, slow afternoons, classrooms'),
    categories: [
      category('play-board', 'Board games', [8, 80], {
        nouns: 'strategy game, card game, dice game, chess set, memory game',
        materials: 'beech wood, recycled cardboard, linen paper, cork',
        sizes: '1-2 players, 2-4 players, 2-5 players, 3-8 players',
      }),
      category('play-puzzles', 'Puzzles', [5, 60], {
        nouns: 'jigsaw puzzle, floor puzzle, panorama puzzle, map puzzle, layered puzzle',
        materials: 'recycled cardboard, linden wood, cork, felt',
        sizes: '24 pieces, 48 pieces, 250 pieces, 500 pieces, 1000 pieces',
      }),
      category('play-building', 'Building', [7, 180], {
        nouns: 'set of building blocks, marble run, train set, construction kit, model bridge',
        materials: 'beech wood, maple, tin, plant-based plastic',
        sizes: '30 parts, 60 parts, 120 parts, 250 parts',
      }),
      category('play-crafts', 'Crafts', [3, 70], {
        nouns: 'weaving kit, origami kit, printing kit, felting kit, embroidery kit',
        materials: 'organic cotton, wool, washi paper, felt',
        sizes: 'ages 4+, ages 6+, ages 8+, ages 10+',
      }),
      category('play-dolls', 'Dolls and figures', [6, 130], {
        nouns: 'hand puppet, rag doll, farm animal set, bear, finger puppet set',
        materials: 'organic cotton, wool felt, linden wood, linen',
        sizes: 'small, medium, large, gift set',
      }),
    ],
  },
]

/** Every category with its department, in the order in which products go round them. */
export const categories: readonly { readonly department: SeedDepartment; readonly category: SeedCategory }[] =
  departments.flatMap((department) => department.categories.map((each) => ({ department, category: each })))
