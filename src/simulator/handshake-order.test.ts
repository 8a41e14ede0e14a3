import { describe, expect, test } from "vitest";
import { HandshakeOrder, type HandshakeStep } from "./handshake-order.ts";

function breaches(...steps: readonly HandshakeStep[]): string[] {
  const order = new HandshakeOrder();
  return steps.flatMap((step) => order.check(step) ?? []);
}

describe("HandshakeOrder", () => {
  test.each<{ readonly steps: readonly HandshakeStep[] }>([
    { steps: ["PING", "listening-port", "capa psync2", "capa dragonfly"] },
    {
      steps: [
        "AUTH",
        "PING",
        "listening-port",
        "ip-address",
        "capa psync2",
        "capa dragonfly",
        "CLIENT-ID",
        "CLIENT-VERSION",
      ],
    },
    { steps: ["PING", "listening-port", "capa psync2", "capa dragonfly", "CLIENT-VERSION", "PING"] },
  ])("takes $steps", ({ steps }) => {
    expect(breaches(...steps)).toEqual([]);
  });

  test.each<{ readonly steps: readonly HandshakeStep[]; readonly says: readonly string[] }>([
    { steps: ["PING", "AUTH"], says: ["AUTH was sent after PING"] },
    { steps: ["listening-port"], says: ["listening-port was sent before PING"] },
    { steps: ["PING", "capa psync2"], says: ["capa psync2 was sent before listening-port"] },
    { steps: ["PING", "listening-port", "capa dragonfly"], says: ["capa dragonfly was sent before capa psync2"] },
    {
      steps: ["PING", "listening-port", "capa psync2", "ip-address"],
      says: ["ip-address was sent after capa psync2"],
    },
    { steps: ["PING", "listening-port", "listening-port"], says: ["listening-port was sent twice"] },
    {
      steps: ["PING", "listening-port", "capa psync2", "CLIENT-ID", "capa dragonfly"],
      says: ["capa dragonfly was sent after CLIENT-ID"],
    },
  ])("tells $steps", ({ steps, says }) => {
    expect(breaches(...steps)).toEqual(says);
  });
});
