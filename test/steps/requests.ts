import { generateKeyPairSync, sign } from "node:crypto";

/** Certificate requests byte by byte: also such as no tool would make. */
export interface Request {
  /** Organizations and common name, in their order. */
  organizations: string[];
  commonName: string;
  /** Attributes of the request: each is a list of extensions. */
  attributes: { type?: string; extensions: Extension[] }[];
  /** Signed by another key than its own. */
  forged?: boolean;
}

interface Extension {
  /** Dotted form of the identifier's bytes, as hexadecimal digits. */
  id: string;
  value: Buffer;
}

const sequence = 0x30;
const set = 0x31;
export const extensionRequest = "2a864886f70d01090e"; // 1.2.840.113549.1.9.14
/** 1.3.6.1.4.1.311.2.1.14, which OpenSSL reads and Go does not. */
export const microsoftRequest = "2b06010401823702010e";
const ecdsaWithSha256 = "2a8648ce3d040302";

export function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const identifier = (hex: string) => der(6, Buffer.from(hex, "hex"));
const text = (value: string) => der(0x0c, Buffer.from(value));

/** Names of subjectAltName: `DNS:a`, `IP:10.0.0.1`, `email:a@b`, `URI:spiffe://a`, `RID:`, or bytes. */
export function subjectAltName(...names: (string | Buffer)[]): Extension {
  return { id: "551d11", value: der(sequence, ...names.map(generalName)) };
}

function generalName(name: string | Buffer): Buffer {
  if (typeof name !== "string") return name;
  const [, kind = "", value = ""] = name.match(/^(\w+):(.*)$/s) ?? [];
  if (kind === "IP") return der(0x87, addressBytes(value));
  const tags: Record<string, number> = { email: 0x81, DNS: 0x82, URI: 0x86 };
  return der(tags[kind] ?? 0x88, Buffer.from(value));
}

function addressBytes(value: string): Buffer {
  if (!value.includes(":")) return Buffer.from(value.split(".").map(Number));
  const [head = "", tail = ""] = value.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: missing }, () => "0"), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** The request in PEM. */
export function request({ organizations, commonName, attributes, forged }: Request): string {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { privateKey } = forged ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : pair;
  const part = (id: string, value: string) => der(set, der(sequence, identifier(id), text(value)));
  const subject = der(
    sequence,
    ...organizations.map((name) => part("55040a", name)),
    part("550403", commonName),
  );
  const info = der(
    sequence,
    der(2, Buffer.from([0])),
    subject,
    pair.publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa0,
      ...attributes.map(({ type = extensionRequest, extensions }) =>
        der(
          sequence,
          identifier(type),
          der(
            set,
            der(
              sequence,
              ...extensions.map(({ id, value }) => der(sequence, identifier(id), der(4, value))),
            ),
          ),
        ),
      ),
    ),
  );
  const signature = sign("sha256", info, privateKey);
  const all = der(
    sequence,
    info,
    der(sequence, identifier(ecdsaWithSha256)),
    der(3, Buffer.from([0]), signature),
  );
  const lines = all.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}

/** What worker-1 of the matrix below may ask for. */
export const kubelet = (...names: (string | Buffer)[]): Request => ({
  organizations: ["system:nodes"],
  commonName: "system:node:node-1",
  attributes: [{ extensions: [subjectAltName(...names)] }],
});

const own = ["DNS:node-1", "IP:10.10.0.12", "IP:fd00:10:10::12"];
const fine = kubelet(...own);

/** What is asked, and by whom. */
export interface Asked {
  request: string;
  username?: string;
  groups?: string[];
  usages?: string[];
}

export const usages = ["digital signature", "server auth"];

/** What a kubelet may ask. */
export const good: [name: string, asked: Asked][] = [
  ["its name and addresses", { request: request(fine) }],
  ["one address", { request: request(kubelet("IP:10.10.0.12")) }],
  ["in another order", { request: request(kubelet(...own.toReversed())) }],
  [
    "for an RSA key",
    { request: request(fine), usages: ["key encipherment", "digital signature", "server auth"] },
  ],
];

/** What is denied, and the reason. */
export const bad: [name: string, asked: Asked, reason: RegExp][] = [
  ...(
    [
      ["a foreign address", kubelet(...own, "IP:10.10.0.11"), /name that is not .*10\.10\.0\.11/],
      ["a foreign address first", kubelet("IP:10.10.0.11", ...own), /name that is not/],
      ["a foreign IPv6 address", kubelet(...own, "IP:fd00:10:10::11"), /name that is not/],
      ["another node's name", kubelet("DNS:node-0", ...own), /name that is not .*node-0/],
      ["the API's name", kubelet("DNS:kubernetes.default.svc"), /name that is not/],
      ["a wildcard", kubelet("DNS:*"), /name that is not/],
      ["a longer name", kubelet("DNS:node-1.evil.example"), /name that is not/],
      ["a name that looks like two", kubelet("DNS:node-1, DNS:node-1"), /name that is not/],
      ["a name with a NUL in it", kubelet("DNS:node-1\0"), /name that is not/],
      ["an IPv4 address in IPv6", kubelet("IP:0:0:0:0:0:ffff:a0a:c"), /name that is not/],
      ["an e-mail address", kubelet(...own, "email:a@example.no"), /name that is not .*email/],
      ["a URI", kubelet(...own, "URI:spiffe://cluster/admin"), /name that is not .*URI/],
      ["a directory name", kubelet(...own, der(0xa4, der(sequence))), /name that is not/],
      ["a registered id", kubelet(...own, "RID:\x2a\x03"), /name that is not/],
      ["an empty list of names", kubelet(), /name that is not/],
      ["no names", { ...fine, attributes: [] }, /not one list of names/],
      [
        "two lists of names in one attribute",
        {
          ...fine,
          attributes: [{ extensions: [subjectAltName(...own), subjectAltName("DNS:evil")] }],
        },
        /not one list of names/,
      ],
      [
        "a second attribute with names",
        {
          ...fine,
          attributes: [...fine.attributes, { extensions: [subjectAltName("DNS:evil")] }],
        },
        /not one list of names/,
      ],
      [
        "names where Go does not look, others where it does",
        {
          ...fine,
          attributes: [
            { type: microsoftRequest, extensions: [subjectAltName(...own)] },
            { extensions: [subjectAltName("DNS:evil")] },
          ],
        },
        /not one list of names/,
      ],
      [
        "another common name",
        { ...fine, commonName: "system:node:node-0" },
        /its subject is .*node-0/,
      ],
      ["another organization", { ...fine, organizations: ["system:masters"] }, /its subject is/],
      [
        "two organizations",
        { ...fine, organizations: ["system:nodes", "system:masters"] },
        /its subject is/,
      ],
      ["no organization", { ...fine, organizations: [] }, /its subject is/],
      [
        "a common name that looks like two",
        { ...fine, commonName: "system:node:node-1,O=system:nodes" },
        /its subject is/,
      ],
      ["names without end", kubelet(...Array<string>(200).fill("DNS:node-1")), /digits of names/],
      ["another's signature", { ...fine, forged: true }, /not signed by its own key/],
    ] as const
  ).map(([name, made, reason]): (typeof bad)[number] => [
    name,
    { request: request(made as Request) },
    reason,
  ]),
  [
    "a client's certificate",
    { request: request(fine), usages: ["client auth", "digital signature"] },
    /its usages are/,
  ],
  [
    "client and server in one",
    { request: request(fine), usages: [...usages, "client auth"] },
    /its usages are/,
  ],
  ["a signer's", { request: request(fine), usages: [...usages, "cert sign"] }, /its usages are/],
  ["no group of nodes", { request: request(fine), groups: [] }, /not in the group system:nodes/],
  [
    "two requests in one text",
    { request: request(fine) + request(kubelet("DNS:evil")) },
    /not one request in PEM/,
  ],
  ["text before it", { request: `x\n${request(fine)}` }, /not one request in PEM/],
];
