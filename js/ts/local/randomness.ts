let randomnessGiven = false;

/**
 * Asks the platform for a random number. Ids need random numbers, and some places refuse them, such as a Worker's global
 * scope. Here the platform's error reaches the caller. Inside the engine, the same error would stop the engine.
 */
export function askForRandomness(): void {
  if (randomnessGiven) return;
  crypto.getRandomValues(new Uint8Array(1));
  randomnessGiven = true;
}
