// Checks the AWS Signature Version 4 of a request, as a server does. s3rver takes any, and the service's own code is
// what is to be checked, so this is written anew and over another library.
import { createHash, createHmac } from "node:crypto";

const NEEDED = ["host", "x-amz-content-sha256", "x-amz-date"];
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const mac = (key, text) => createHmac("sha256", key).update(text).digest();

function parse(authorization) {
  const form = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const match = form.exec(authorization);
  if (!match) return null;
  const [accessKey, ...scope] = match[1].split("/");
  return { accessKey, scope, signed: match[2].split(";"), signature: match[3] };
}

// What is wrong with a request without a query, or null.
export function wrong({ method, url, headers }, body, accessKey, secretKey) {
  const given = parse(headers.authorization || "");
  if (!given || given.accessKey !== accessKey) return "AccessDenied";
  if (headers["x-amz-content-sha256"] !== sha256(body)) return "XAmzContentSHA256Mismatch";
  if (!NEEDED.every((name) => given.signed.includes(name))) return "AccessDenied";
  const lines = given.signed.map((name) => `${name}:${headers[name].trim()}\n`).join("");
  const canonical = [method, url, "", lines, given.signed.join(";"), headers["x-amz-content-sha256"]].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", headers["x-amz-date"], given.scope.join("/"), sha256(canonical)].join("\n");
  const key = given.scope.reduce(mac, `AWS4${secretKey}`);
  return mac(key, toSign).toString("hex") === given.signature ? null : "SignatureDoesNotMatch";
}
