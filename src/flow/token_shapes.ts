/**
 * Tokens that can be told by their shape: the prefixes that those who issue them document, and how such tokens are found in
 * text fast.
 *
 * @module
 */

/** A stretch of text that has the shape of a token. */
export interface FoundToken {
  /** Where it begins. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** Whose token it is, such as `github_token`. */
  readonly kind: string;
}

/** Kind and shape. Every shape holds sixteen letters, digits, `_` or `-` in a row: that is how the place to look at is found. */
const SHAPES: readonly (readonly [kind: string, shape: RegExp])[] = [
  // RFC 7519, and RFC 7516 with its five parts: base64 of `{"`.
  ["jwt", /eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*(?:\.[\w-]*){0,2}/],
  // Cloud
  ["aws_key", /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|ABSK[A-Za-z0-9+/]{80,}={0,2}/],
  ["google_key", /AIza[\w-]{35}|ya29\.[\w.-]{20,}|GOCSPX-[\w-]{20,}|1\/\/0[\w-]{30,}/],
  ["azure_secret", /[\w~.]{3}\dQ~[\w~.-]{31,34}/],
  ["digitalocean_token", /do[opr]_v1_[a-f0-9]{64}/],
  ["cloudflare_key", /v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}/],
  ["heroku_key", /HRKU-[\w-]{36,}/],
  ["fly_token", /fo1_[\w-]{43}|fm[12][ar]?_[\w+/=]{60,}/],
  ["alibaba_key", /LTAI[A-Za-z0-9]{16,20}/],
  ["vault_token", /hv[sbr]\.[\w-]{24,}/],
  ["terraform_token", /\w{14}\.atlasv1\.[\w=-]{60,}/],
  ["databricks_token", /dapi[a-f0-9]{32}/],
  ["pulumi_token", /pul-[a-f0-9]{40}/],
  ["doppler_token", /dp\.[a-z]{2,5}\.[\w.-]{40,}/],
  ["planetscale_token", /pscale_(?:tkn|oauth|pw)_[\w=.-]{32,}/],
  ["supabase_key", /sbp_[a-f0-9]{40}|sb_secret_[\w-]{20,}/],
  // Forges and package registries
  ["github_token", /gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{60,255}/],
  ["gitlab_token", /gl(?:pat|dt|rt|rtr|ptt|oas|cbt|ft|ffct|soat|imt|agent)-[\w.-]{20,}|GR1348941[\w-]{20}/],
  ["atlassian_token", /AT(?:ATT|CTT)3[\w=-]{40,}|ATBB[A-Za-z0-9]{28,}/],
  ["npm_token", /npm_[A-Za-z0-9]{36}/],
  ["pypi_token", /pypi-AgE[\w-]{50,}/],
  ["rubygems_key", /rubygems_[a-f0-9]{48}/],
  ["nuget_key", /oy2[a-z0-9]{43}/],
  ["crates_token", /cio[A-Za-z0-9]{32}/],
  ["docker_token", /dckr_(?:pat|oat)_[\w-]{20,}/],
  // Payment and shops
  ["stripe_key", /[sr]k_(?:test|live|prod)_[A-Za-z0-9]{10,250}|whsec_[A-Za-z0-9+/]{24,}={0,2}/],
  ["square_token", /sq0[a-z]{3}-[\w-]{22,}|EAAA[\w-]{40,60}/],
  ["paypal_token", /access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}|A21AA[\w-]{50,}/],
  ["mollie_key", /(?:live|test)_[A-Za-z0-9]{30}/],
  ["shopify_token", /shp(?:at|ca|pa|ss|ua)_[a-fA-F0-9]{32}/],
  // Chat and mail
  ["slack_token", /xox[abeoprs](?:\.xox[bp])?-[\w-]{10,}|xapp-\d-[\w-]{20,}/],
  ["slack_webhook", /(?<=hooks\.slack\.com\/)(?:services|workflows|triggers)\/[\w/]{20,}/],
  ["discord_token", /[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}/],
  ["discord_webhook", /(?<=\/api\/webhooks\/\d{5,25}\/)[\w-]{50,}/],
  ["telegram_token", /(?:bot)?\d{8,10}:A[\w-]{34}/],
  ["twilio_key", /SK[0-9a-f]{32}/],
  ["sendgrid_key", /SG\.[\w-]{16,32}\.[\w-]{16,64}/],
  ["mailgun_key", /key-[0-9a-f]{32}/],
  ["mailchimp_key", /[0-9a-f]{32}-us\d{1,2}/],
  ["brevo_key", /xkeysib-[a-f0-9]{64}-\w{16}/],
  ["facebook_token", /EAA[A-Za-z]\w{60,}/],
  ["twitch_token", /oauth:[a-z0-9]{30}/],
  // Models and tools
  [
    "ai_key",
    /sk-(?:proj|svcacct|admin|ant|or)-[\w-]{20,}|sk-[A-Za-z0-9]{32,}|gsk_\w{40,}|xai-\w{40,}|pplx-\w{32,}|r8_\w{37}/,
  ],
  ["huggingface_token", /(?:hf|api_org)_[A-Za-z0-9]{34}/],
  ["grafana_token", /gl(?:c|sa)_[\w+/=]{32,}/],
  ["sentry_token", /sntry[su]_[\w+/=]{40,}/],
  ["newrelic_key", /NR(?:AK|II|RA)-[\w-]{27,40}/],
  ["linear_key", /lin_(?:api|oauth)_\w{32,}/],
  ["notion_token", /ntn_\w{40,}|secret_[A-Za-z0-9]{43}/],
  ["airtable_token", /pat\w{14}\.[a-f0-9]{64}/],
  ["postman_key", /PMAK-[a-f0-9]{24}-[a-f0-9]{34}/],
  ["figma_token", /fig[dou]r?_[\w-]{40,}/],
  ["dropbox_token", /sl\.[\w-]{60,}/],
  ["contentful_token", /CFPAT-[\w-]{43}/],
  ["typeform_token", /tfp_\w{40,}/],
  ["onepassword_key", /A3-[A-Z0-9]{6}-[A-Z0-9]{6,11}(?:-[A-Z0-9]{5}){3,4}|ops_eyJ[\w+/]{100,}={0,3}/],
  ["age_key", /AGE-SECRET-KEY-1[A-Z0-9]{58}/],
];

const ANY = new RegExp(`(?<![A-Za-z0-9])(?:${SHAPES.map(([, { source }]) => `(${source})`).join("|")})`, "g");

/** How much in front of sixteen letters in a row may belong to a token, and how long the whole may be. */
const BEFORE = 64;
const LONGEST = 16_384;

/** Calls `found` for every token in the text, in order. */
export function findTokens(text: string, found: (token: FoundToken) => void): void {
  let done = 0;
  eachWord(text, 16, (start, end, plain) => {
    // Without a digit only short prefixes are left, such as `hf_`.
    if (end <= done || (plain && !/^\w{1,10}[_-]/.test(text.slice(start, start + 11)))) return;
    // In base64 of an image there is nothing to find; a long JWT begins like one.
    if (end - start > 1024 && !text.startsWith("eyJ", start)) return;
    const from = Math.max(done, start - BEFORE);
    const to = endOfToken(text, end);
    const window = text.slice(from, to);
    ANY.lastIndex = 0;
    for (let match = ANY.exec(window); match !== null; match = ANY.exec(window)) {
      const group = match.findIndex((part, i) => i > 0 && part !== undefined);
      done = from + match.index + match[0].length;
      found({ start: from + match.index, end: done, kind: SHAPES[group - 1]![0] });
    }
  });
  findPrivateKeys(text, found);
}

/** Replaces the tokens in text, and the private keys (RFC 7468). */
export function replaceTokens(text: string, replace: (token: string, kind: string) => string): string {
  const tokens: FoundToken[] = [];
  findTokens(text, (token) => tokens.push(token));
  if (tokens.length === 0) return text;
  let result = "";
  let copied = 0;
  for (const { start, end, kind } of tokens.sort((a, b) => a.start - b.start)) {
    if (start < copied) continue;
    result += text.slice(copied, start) + replace(text.slice(start, end), kind);
    copied = end;
  }
  return result + text.slice(copied);
}

/**
 * Calls `visit` for everything in the text that is at least `least` letters, digits, `_` and `-` in a row. A loop over
 * character codes costs a tenth of a regular expression here.
 *
 * @param visit `plain`: there is no digit in it
 */
export function eachWord(
  text: string,
  least: number,
  visit: (start: number, end: number, plain: boolean) => void,
): void {
  let start = 0;
  let digits = 0;
  const { length } = text;
  for (let at = 0; at <= length; at++) {
    const code = at < length ? text.charCodeAt(at) : 0;
    const kind = code < 128 ? KIND[code]! : 0;
    if (kind !== 0) {
      digits += kind - 1;
      continue;
    }
    if (at - start >= least) visit(start, at, digits === 0);
    start = at + 1;
    digits = 0;
  }
}

/** 0: ends a word; 1: belongs to it; 2: is a digit. */
const KIND = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return /\d/.test(char) ? 2 : /[\w-]/.test(char) ? 1 : 0;
});

const TAIL = /[\w.+/=~$-]*/y;

function endOfToken(text: string, end: number): number {
  TAIL.lastIndex = end;
  return Math.min(end + TAIL.exec(text)![0].length, end + LONGEST);
}

const PRIVATE_KEY =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[^"'<])*(?:-----END [A-Z0-9 ]{0,40}-----)?/g;

function findPrivateKeys(text: string, found: (token: FoundToken) => void): void {
  if (!text.includes("PRIVATE KEY")) return;
  for (const { index, 0: key } of text.matchAll(PRIVATE_KEY)) {
    // The words alone stand in documentation, and in programs that read keys.
    if (key.length > 100) found({ start: index, end: index + key.length, kind: "private_key" });
  }
}
