/** Wrong input of the user. The message is printed, and the program ends with the exit code 2. Nothing was written. */
export class Mistake extends Error {}
