const item = { sku: 'A-100200', name: 'A thing of everyday use', price: { amount: 1999, currency: 'EUR' }, stock: 12 }

/** What the upstream answers: about 400 bytes of JSON. */
export const document: string = JSON.stringify({ id: 'b1946ac9', items: [item, item, item] })
