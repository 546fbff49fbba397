/**
 * A schema of any library that follows Standard Schema, version 1, such as zod, valibot or arktype. Only its types are here:
 * the specification asks to copy them.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The part of the schema that all libraries have in common. */
  readonly "~standard": {
    /** The version of the specification. */
    readonly version: 1;
    /** The library of the schema. */
    readonly vendor: string;
    /** Checks a value. */
    readonly validate: (
      value: unknown,
    ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
    /** The types of the values. There is no such value at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The result of a check by a {@link StandardSchema}: a value, or issues. */
export type StandardSchemaResult<Output> =
  | {
      /** The value, which the schema may have changed. */
      readonly value: Output;
      /** There are no issues. */
      readonly issues?: undefined;
    }
  | {
      /** The reasons why the value is wrong. */
      readonly issues: readonly StandardSchemaIssue[];
    };

/** A reason why a value is wrong. */
export interface StandardSchemaIssue {
  /** The reason. */
  readonly message: string;
  /** The keys that lead to the wrong part. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type of the values that the schema takes. */
export type SchemaInput<S> = S extends StandardSchema<infer Input, any> ? Input : unknown;

/** The type of the values that the schema returns. */
export type SchemaOutput<S> = S extends StandardSchema<any, infer Output> ? Output : unknown;

/** Whether the value is a schema. A schema can also be a function. */
export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as Partial<StandardSchema>)["~standard"];
  return typeof standard?.validate === "function";
}

/** The keys that lead to the wrong part of the value. */
export function pathOf({ path = [] }: StandardSchemaIssue): PropertyKey[] {
  // The path may be of a class of its own, whose `map` would make another one.
  return Array.from(path, (step) => (typeof step === "object" ? step.key : step));
}
