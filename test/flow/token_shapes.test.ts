import { describe, expect, test } from "vitest";
import { findTokens } from "../../src/flow/token_shapes.ts";

const found = (text: string) => {
  const tokens: string[] = [];
  findTokens(text, ({ start, end, kind }) => tokens.push(`${kind} ${text.slice(start, end)}`));
  return tokens;
};

const GITHUB = `ghp_${"a1B2".repeat(9)}`;
const STRIPE = `sk_live_${"Zz9".repeat(8)}`;
const SENDGRID = `SG.${"abcD1".repeat(4)}.${"efgH2".repeat(4)}`;
const DISCORD = `M${"Tk4N".repeat(6)}.Gx1a2b.${"q9W-".repeat(8)}`;
const AZURE = `a1b8Q~${"cD3_".repeat(8)}`;
const ALL = [
  ["github_token", GITHUB],
  ["stripe_key", STRIPE],
  ["sendgrid_key", SENDGRID],
  ["discord_token", DISCORD],
  ["azure_secret", AZURE],
  ["twilio_key", `SK${"0a".repeat(16)}`],
  ["slack_token", `xoxb-${"1234567890-".repeat(2)}abc`],
  ["telegram_token", `123456789:A${"aB3-".repeat(8)}xy`],
  ["twitch_token", `oauth:${"a1b".repeat(10)}`],
  ["mailchimp_key", `${"0f".repeat(16)}-us12`],
  ["npm_token", `npm_${"aB1".repeat(12)}`],
] as const;

describe("tokens are found", () => {
  test.each(ALL)("%s, whatever stands around it", (kind, token) => {
    const base64 = "QUJDREVGR0hJSktMTU5PUFFSU1RVVg/0123456789abcdef+ghijkl";
    for (
      const before of [
        "",
        " ",
        '"',
        "a b ",
        "x=",
        `${base64} `,
        `${base64}/`,
        "word-with-0-digits-and-dashes.",
        "1.2.3,",
        "\u00e9",
      ]
    ) {
      for (const after of ["", " ", '"', ",", "\n", " 0123456789abcdefghij"]) {
        expect(found(before + token + after), `${before}|${after}`).toEqual([`${kind} ${token}`]);
      }
    }
  });

  test.each(ALL)("%s, one behind the other", (kind, token) => {
    const text = `${token} ${token}"${GITHUB} ${token}`;
    expect(found(text)).toEqual(
      [token, token, GITHUB, token].map((one) => `${one === GITHUB ? "github_token" : kind} ${one}`),
    );
  });

  test("nothing is, in the middle of a word", () => {
    expect(found(`xgh${GITHUB}`)).toEqual([]);
    expect(found(`${"a".repeat(40)}${STRIPE}`)).toEqual([]);
  });

  test("in much base64 without a line break, soon", () => {
    const text = `${"QUJDREVGR0hJSktMTU5P+U1RV0/abcd".repeat(20_000)} ${GITHUB}`;
    expect(found(text)).toEqual([`github_token ${GITHUB}`]);
  });
});
