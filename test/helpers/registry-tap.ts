// A tap before an OCI registry on loopback: passes everything on, counts the bytes of uploads, and lets a test act or answer in its place.
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RegistryTap {
  /** `127.0.0.1:port`. */
  host: string;
  /** `PATCH /v2/…` of every request, without queries. */
  requests: string[];
  /** Authorization headers by request. */
  authorizations: (string | undefined)[];
  /** Bytes of blobs that passed in PATCH and PUT. */
  uploaded: number;
  /** Called after every piece of an upload with the count so far. */
  onUpload?: (uploaded: number) => void;
  /** Answers in place of the registry when it returns true. */
  fault?: (incoming: IncomingMessage, reply: ServerResponse) => boolean;
  /** Cuts the connection after the registry has done what was asked, when it returns true. */
  loseReply?: (incoming: IncomingMessage) => boolean;
  /** Changes the headers of a reply. */
  onReply?: (incoming: IncomingMessage, headers: IncomingMessage["headers"]) => void;
  close(): void;
}

export async function startTap(port: number): Promise<RegistryTap> {
  const server = createServer((incoming, reply) => {
    tap.requests.push(`${incoming.method} ${(incoming.url ?? "").split("?")[0]}`);
    tap.authorizations.push(incoming.headers.authorization);
    if (tap.fault?.(incoming, reply) === true) return;
    pass(tap, port, incoming, reply);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const tap: RegistryTap = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    authorizations: [],
    uploaded: 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return tap;
}

function pass(tap: RegistryTap, port: number, incoming: IncomingMessage, reply: ServerResponse): void {
  const { method, url = "", headers } = incoming;
  const onward = request({ host: "127.0.0.1", port, method, path: url, headers, agent: false }, (answered) => {
    if (tap.loseReply?.(incoming) === true) return void incoming.socket.destroy();
    tap.onReply?.(incoming, answered.headers);
    reply.writeHead(answered.statusCode ?? 500, answered.headers);
    answered.pipe(reply);
    answered.on("error", () => reply.destroy());
  });
  onward.on("error", () => incoming.socket.destroy());
  incoming.on("error", () => onward.destroy());
  const isUpload = url.includes("/blobs/uploads/");
  incoming.on("data", (piece: Buffer) => {
    if (!isUpload) return;
    tap.uploaded += piece.length;
    tap.onUpload?.(tap.uploaded);
  });
  incoming.pipe(onward);
}
