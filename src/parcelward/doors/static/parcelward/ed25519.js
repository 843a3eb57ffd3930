/* Ed25519 verification (RFC 8032) for browsers that have none of their own; fetched only there, and the page says so.
 * It only verifies: no secret is touched, so nothing here needs to run in constant time. */

const P = 2n ** 255n - 19n, ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (a, m = P) => ((a % m) + m) % m;
const little = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
const power = (base, exponent) => {
  let out = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) if (e & 1n) out = mod(out * b);
  return out;
};
const D = mod(-121665n * power(121666n, P - 2n)), ROOT_MINUS_1 = power(2n, (P - 1n) / 4n);
function point(bytes) { // section 5.1.3; null where the bytes name no point
  const y = little(bytes) & (2n ** 255n - 1n), odd = BigInt(bytes[31] >> 7);
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square)) x = mod(x * ROOT_MINUS_1);
  if (y >= P || mod(x * x - square) || (x === 0n && odd)) return null;
  if ((x & 1n) !== odd) x = P - x;
  return [x, y, 1n, mod(x * y)];
}
function plus([x1, y1, z1, t1], [x2, y2, z2, t2]) { // section 5.1.4
  const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2)), c = mod(2n * t1 * t2 * D), d = 2n * z1 * z2;
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}
function times(scalar, p) {
  let out = [0n, 1n, 1n, 0n];
  for (let q = p, s = scalar; s > 0n; s >>= 1n, q = plus(q, q)) if (s & 1n) out = plus(out, q);
  return out;
}
const BASE = point(Uint8Array.from({ length: 32 }, (_, i) => (i ? 0x66 : 0x58)));
/** Section 5.1.7, the check without the cofactor, as the browsers' own do it. */
export async function ed25519InScript(key, signature, message) {
  const a = point(key), r = point(signature.subarray(0, 32)), s = little(signature.subarray(32));
  if (!a || !r || s >= ORDER) return false;
  const digest = await crypto.subtle.digest("SHA-512", Uint8Array.of(...signature.subarray(0, 32), ...key, ...message));
  const [x1, y1, z1] = times(s, BASE), [x2, y2, z2] = plus(r, times(mod(little(new Uint8Array(digest)), ORDER), a));
  return mod(x1 * z2 - x2 * z1) === 0n && mod(y1 * z2 - y2 * z1) === 0n;
}
