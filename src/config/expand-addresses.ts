/**
 * Takes the URLs of one layer apart, so that user, password and TLS from a URL have the precedence of the place where the URL stands.
 * Says when a layer gives the same thing twice.
 */
import { FIELDS_BY_PATH } from "./config-fields.ts";
import { endpointAddress } from "./endpoint.ts";
import type { Layer } from "./layer.ts";
import { SIDES } from "./schema.ts";
import { parseServerAddress, type ServerAddress } from "./server-url.ts";

export function expandAddresses(layer: Layer): void {
  for (const side of SIDES) {
    expandOne(layer, `${side}.`);
    rejectTwoPasswords(layer, `${side}.`);
  }
}

function expandOne(layer: Layer, prefix: string): void {
  const path = `${prefix}addr`;
  const written = layer.values.get(path);
  if (written === undefined) return;
  const result = parseServerAddress(String(written.value));
  if ("problem" in result) {
    layer.values.delete(path);
    layer.mistakes.push({ origin: written.origin, path, text: result.problem });
    return;
  }
  const { address } = result;
  layer.values.set(path, { value: endpointAddress(address), origin: written.origin });
  for (const [key, value] of urlParts(address)) setFromUrl(layer, prefix + key, value, path);
}

function urlParts(address: ServerAddress): readonly (readonly [string, string | true])[] {
  const parts: (readonly [string, string | true])[] = [];
  if (address.user !== undefined) parts.push(["user", address.user]);
  if (address.password !== undefined) parts.push(["password", address.password]);
  if (address.tls !== undefined) parts.push(["tls.enabled", true]);
  return parts;
}

function setFromUrl(layer: Layer, path: string, value: string | true, addrPath: string): void {
  const explicit = layer.values.get(path);
  const url = layer.values.get(addrPath);
  if (url === undefined || !FIELDS_BY_PATH.has(path)) return;
  if (explicit === undefined) layer.values.set(path, { value, origin: url.origin });
  else if (explicit.value !== true) {
    const text = value === true ? "is false, but the URL starts with rediss://" : "is given twice: in the URL and here";
    layer.mistakes.push({ origin: explicit.origin, path, text });
  }
}

function rejectTwoPasswords(layer: Layer, prefix: string): void {
  const file = layer.values.get(`${prefix}passwordFile`);
  if (file === undefined || !layer.values.has(`${prefix}password`)) return;
  const text = "a password is given as well (as `password` or in the URL); allowed: one of them";
  layer.mistakes.push({ origin: file.origin, path: `${prefix}passwordFile`, text });
}
