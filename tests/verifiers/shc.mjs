// Reads {"issuer": {"iss", "keys", "crls"}, "cards": [["jws" | "qr" | "file", text], ...]} from standard input; prints,
// card by card, the bundle that kill-the-clipboard reads, or the name of its error.
import { readFileSync } from "node:fs";
import { Directory, SHCReader } from "kill-the-clipboard";

const { issuer, cards } = JSON.parse(readFileSync(0, "utf8"));
const { iss, keys, crls } = issuer;
const issuerDirectory = Directory.fromJSON({ issuerInfo: [{ issuer: { iss }, keys, crls }] });
const reader = new SHCReader({ publicKey: keys[0], issuerDirectory });
const read = {
  jws: (text) => reader.fromJWS(text),
  qr: (text) => reader.fromQRNumeric(text),
  file: (text) => reader.fromFileContent(text),
};
const answers = [];
for (const [shape, text] of cards) {
  try {
    const card = await read[shape](text);
    answers.push({ bundle: await card.asBundle() });
  } catch (error) {
    answers.push({ error: error.name });
  }
}
console.log(JSON.stringify(answers));
