// What a tool takes: one description, from which come its JSON schema and the check of what it is called with.
import { SandboxToolInputError } from './errors.js';

const ofType = {
  string: value => typeof value === 'string',
  integer: value => Number.isSafeInteger(value),
  array: value => Array.isArray(value),
  object: value => typeof value === 'object' && value !== null && !Array.isArray(value),
};

function judge(schema, value, path, issues) {
  const fail = message => issues.push({ code: 'invalid_value', path, message });
  if (!ofType[schema.type](value)) return fail(`expected ${schema.type}`);
  if (value.length < schema.minLength) return fail('must not be empty');
  if (value < schema.minimum || value <= schema.exclusiveMinimum || value > schema.maximum) {
    const least = schema.minimum ?? schema.exclusiveMinimum + 1;
    return fail(schema.maximum === undefined ? `must be ${least} or more` : `must be from ${least} to ${schema.maximum}`);
  }
  if (schema.type === 'array') value.forEach((item, i) => judge(schema.items, item, [...path, i], issues));
  else if (schema.properties) judgeMembers(schema, value, path, issues);
  else if (schema.type === 'object') for (const [key, item] of Object.entries(value)) judge(schema.additionalProperties, item, [...path, key], issues);
}

function judgeMembers(schema, value, path, issues) {
  for (const [key, member] of Object.entries(schema.properties)) {
    if (value[key] !== undefined) judge(member, value[key], [...path, key], issues);
    else if (schema.required?.includes(key)) issues.push({ code: 'invalid_type', path: [...path, key], message: 'is required' });
  }
}

/** The known members of `input`, when all of them are as the schema wants them. */
export function parseInput(tool, schema, input) {
  const issues = [];
  judge(schema, input, [], issues);
  if (issues.length) throw new SandboxToolInputError(tool, issues);
  return Object.fromEntries(Object.keys(schema.properties).filter(key => input[key] !== undefined).map(key => [key, input[key]]));
}

export const text = (description, more) => ({ type: 'string', description, ...more });
export const words = description => ({ type: 'array', items: { type: 'string' }, description });
export const variables = description => ({
  type: 'object',
  propertyNames: { type: 'string' },
  additionalProperties: { type: 'string' },
  description,
});
export const count = (description, maximum = Number.MAX_SAFE_INTEGER) => ({ type: 'integer', exclusiveMinimum: 0, maximum, description });

export function record(properties, required) {
  return { type: 'object', properties, ...(required.length ? { required } : {}), additionalProperties: false };
}
