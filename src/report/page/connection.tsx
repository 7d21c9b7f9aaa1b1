/**
 * The two connections of a flow: addresses, TLS, certificates.
 *
 * @module
 */
import type { VNode } from "preact";
import type { CertificateData, FlowData, PeerData, ReportData, TlsData } from "../data.ts";
import { Facts, Section } from "./fields.tsx";
import { clock, count } from "./format.ts";

/** The connections. */
export function Connection({ flow, data }: { flow: FlowData; data: ReportData }): VNode {
  const client = data.peers[flow.client]!;
  const server = flow.server === undefined ? undefined : data.peers[flow.server];
  const sharing = (place: number | undefined, side: "client" | "server") =>
    place === undefined ? 0 : data.flows.filter((other) => other[side] === place).length;
  return (
    <>
      <Peer title="Client" peer={client} flows={sharing(flow.client, "client")} />
      {server ? <Peer title="Server" peer={server} flows={sharing(flow.server, "server")} /> : (
        <Section title="Server">
          <p class="hint">No server was connected to: the answer came from {SOURCES[flow.source] ?? flow.source}.</p>
        </Section>
      )}
      {flow.type === "tcp" && (
        <Section title="Bytes">
          <Facts
            facts={[["From the client", String(flow.bytes.client)], ["From the server", String(flow.bytes.server)], [
              "Server name",
              flow.serverName,
            ]]}
          />
        </Section>
      )}
    </>
  );
}

const SOURCES: Readonly<Record<string, string>> = {
  rule: "a rule",
  tape: "the tape",
  app: "an application behind the proxy",
  addon: "an addon",
  upstream: "the proxy itself",
};

function Peer({ title, peer, flows }: { title: string; peer: PeerData; flows: number }): VNode {
  const { host, port, address, local, connectedAt, username, via, tunnel, played, tls, proxyTls, error } = peer;
  return (
    <Section title={title} note={flows > 1 ? `shared by ${count(flows, "flow")}` : undefined}>
      <Facts
        facts={[
          ["Host", port === 0 ? host : `${host}:${port}`],
          ["Address", address === host ? undefined : address],
          ["This end", local],
          ["Connected", connectedAt === undefined ? undefined : clock(connectedAt)],
          ["Through the proxy", via],
          ["In the tunnel to", tunnel],
          ["User", username],
          ["Sent again from", played],
          ["Failed", error && `${error.code}: ${error.message}`],
        ]}
      />
      {tls && <Tls title="TLS" tls={tls} />}
      {proxyTls && <Tls title="TLS with the proxy" tls={proxyTls} />}
    </Section>
  );
}

function Tls({ title, tls }: { title: string; tls: TlsData }): VNode {
  return (
    <div class="inner">
      <h4>{title}</h4>
      <Facts
        facts={[
          ["Version", tls.version],
          ["Cipher", tls.cipher],
          ["Server name", tls.serverName],
          ["Protocol (ALPN)", tls.alpn],
          ["JA3", tls.ja3],
          ["JA4", tls.ja4],
        ]}
      />
      {tls.certificates.map((certificate, i) => <Certificate key={i} certificate={certificate} />)}
    </div>
  );
}

function Certificate({ certificate }: { certificate: CertificateData }): VNode {
  const { subject, issuer, names, validFrom, validTo, serialNumber, fingerprint } = certificate;
  return (
    <details class="certificate">
      <summary>
        Certificate <span class="note">{subject || names[0]}</span>
      </summary>
      <Facts
        facts={[
          ["Subject", subject],
          ["Issuer", issuer],
          ["Names", names.join(", ")],
          ["Valid", `${validFrom} to ${validTo}`],
          ["Serial number", serialNumber],
          ["SHA-256", fingerprint],
        ]}
      />
    </details>
  );
}
