/** lzfjs has no types of its own. */
declare module "lzfjs" {
  export function compress(data: Uint8Array): Buffer;
  export function decompress(data: Uint8Array): Buffer;
}
