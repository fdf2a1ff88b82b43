/** Set in the environment of a program that is to end when the one that started it has gone. */
export const endsWithParentVariable = 'TRESTLE_ENDS_WITH_PARENT'
