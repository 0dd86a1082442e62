interface Options {
  name: string;
  region?: { id: string };
}

export function load(options: Options): string {
  return `${options.name} in ${options.region!.id}`;
}
