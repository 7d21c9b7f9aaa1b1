/**
 * The interleaving: A B C A B C, so that a busy moment of the machine falls on all of them, and what is compared was
 * measured next to each other.
 */

export type Rounds<Name extends string, Sample> = Record<Name, Sample[]>;

export async function interleave<Name extends string, Sample>(
  rounds: number,
  contenders: Record<Name, (round: number) => Promise<Sample>>,
): Promise<Rounds<Name, Sample>> {
  const names = Object.keys(contenders) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Rounds<Name, Sample>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) samples[name].push(await contenders[name](round));
  }
  return samples;
}
