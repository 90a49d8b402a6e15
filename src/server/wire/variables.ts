/** Variables of an environment without their values: their names are for everybody. */
export function namesOf(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(environment).map((name) => [name, '']));
}
