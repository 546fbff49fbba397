// The page of the HTTP reference, from the description in OpenAPI.

/** Text in a cell of a table. */
const cell = (text = "") => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const code = (text) => `\`${text}\``;
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.map((text) => cell(text)).join(" | ")} |`)
    .join("\n");

/** The page as Markdown. */
export function httpReference(description) {
  const { paths, components, tags, info } = description;
  const resolved = (value) =>
    value.$ref === undefined
      ? value
      : {
          ...named(components, value.$ref),
          ...(value.description && { description: value.description }),
        };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
  const parts = tags.flatMap(({ name }) => [
    `## ${name}`,
    ...operations.filter(({ tags }) => tags.includes(name)).map((one) => operation(one, resolved)),
  ]);
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `### ${name}\n\n${shape(schema)}`,
  );
  const about = [
    "# HTTP reference",
    `${info.description} A deployment answers this description itself, in OpenAPI 3.1, at \`GET /v1/openapi.json\`. [The HTTP interface](../http.md) explains it.`,
  ];
  return [...about, ...parts, "## Shapes", ...schemas].join("\n\n") + "\n";
}

const named = (components, ref) => {
  const [kind, name] = ref.split("/").slice(-2);
  return components[kind][name];
};

function operation(
  { path, method, summary, description, parameters, requestBody, responses },
  resolved,
) {
  const lines = [`### ${code(`${method.toUpperCase()} ${path}`)}`, `${summary}. ${description}`];
  if (parameters) {
    const rows = parameters.map(resolved).map((one) => {
      return [code(one.name), one.in, typeOf(one.schema), one.description];
    });
    lines.push(table(["parameter", "in", "type", "meaning"], rows));
  }
  const body = requestBody?.content["application/json"];
  if (body) {
    lines.push(`The body is ${typeOf(body.schema)}:`, jsonBlock(body.example));
  }
  const rows = Object.entries(responses).map(([status, response]) => {
    const { description, content } = resolved(response);
    const shapes = Object.entries(content ?? {}).map(
      ([type, { schema }]) => `${type}: ${typeOf(schema)}`,
    );
    return [status, description, Number(status) < 400 ? shapes.join("; ") : ""];
  });
  lines.push(table(["status", "meaning or codes", "body"], rows));
  return lines.join("\n\n");
}

const jsonBlock = (value) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;

/** The type of a value, in a line. */
function typeOf(schema) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1);
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.oneOf) return schema.oneOf.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.map((value) => code(value)).join(", ");
  if (schema.const) return code(schema.const);
  if (schema.type === "array") return `array of ${typeOf(schema.items)}`;
  if (schema.properties) {
    const members = Object.entries(schema.properties).map(
      ([name, of]) => `${code(name)}: ${typeOf(of)}`,
    );
    // No braces: VitePress would take them for attributes.
    return `an object (${members.join(", ")})`;
  }
  const type = [schema.type ?? "any JSON"].flat().join(" or ");
  return schema.format === undefined ? type : `${type} (${schema.format})`;
}

/** A schema with a name: its members, or its type. */
function shape({ description, properties, required = [], ...schema }) {
  const about = description === undefined ? [] : [description];
  if (properties === undefined) return [...about, typeOf(schema)].join("\n\n");
  const rows = Object.entries(properties).map(([name, of]) => {
    return [code(name), required.includes(name) ? "yes" : "", typeOf(of), of.description];
  });
  return [...about, table(["member", "always", "type", "meaning"], rows)].join("\n\n");
}
