/**
 * Values as JavaScript.
 *
 * @module
 */

/** JSON as JavaScript, with names that need no quotes without them. */
export function literal(value: unknown): string {
  return print(value, "");
}

/** Whether a text is a JSON object or array. */
export function isJsonText(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function print(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return escaped(JSON.stringify(value));
  const entries = Array.isArray(value)
    ? value.map((one) => print(one, `${indent}  `))
    : Object.entries(value).map(([key, one]) => `${nameOf(key)}: ${print(one, `${indent}  `)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (entries.length === 0) return `${open}${close}`;
  const line = entries.join(", ");
  const space = Array.isArray(value) ? "" : " ";
  if (line.length + indent.length < 80 && !line.includes("\n")) return `${open}${space}${line}${space}${close}`;
  return `${open}\n${entries.map((entry) => `${indent}  ${entry},\n`).join("")}${indent}${close}`;
}

function nameOf(key: string): string {
  // In an object literal __proto__ is no name.
  if (key === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : escaped(JSON.stringify(key));
}

/** Signs that editors show as line breaks, or as nothing. */
function escaped(json: string): string {
  return json.replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (sign) => {
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
