/**
 * Tokens that can be told by their shape: the prefixes that those who issue them document.
 *
 * @module
 */

/** A shape: whose token it is, how one begins (any of these), what follows. */
export type Shape = readonly [kind: string, starts: readonly string[], rest: RegExp];

/**
 * Every shape holds sixteen letters, digits, `_` or `-` in a row, and begins with three characters that are known: that is how the place to
 * look at is found. There is nothing in it but letters, digits and `_-.+/=~$`.
 */
export const SHAPES: readonly Shape[] = [
  // RFC 7519, and RFC 7516 with its five parts: base64 of `{"`.
  ["jwt", ["eyJ"], /[\w-]{8,}\.[\w-]{4,}\.[\w-]*(?:\.[\w-]*){0,2}/],
  // Cloud
  ["aws_key", ["AKIA", "ASIA", "ABIA", "ACCA"], /[A-Z0-9]{16}/],
  ["aws_key", ["ABSK"], /[A-Za-z0-9+/]{80,}={0,2}/],
  ["google_key", ["AIza"], /[\w-]{35}/],
  ["google_key", ["ya29."], /[\w.-]{20,}/],
  ["google_key", ["GOCSPX-"], /[\w-]{20,}/],
  ["google_key", ["1//0"], /[\w-]{30,}/],
  ["digitalocean_token", ["doo_v1_", "dop_v1_", "dor_v1_"], /[a-f0-9]{64}/],
  ["cloudflare_key", ["v1.0-"], /[a-f0-9]{24}-[a-f0-9]{100,}/],
  ["heroku_key", ["HRKU-"], /[\w-]{36,}/],
  ["fly_token", ["fo1_"], /[\w-]{43}/],
  ["fly_token", ["fm1_", "fm2_", "fm1a_", "fm2a_", "fm1r_", "fm2r_"], /[\w+/=]{60,}/],
  ["alibaba_key", ["LTAI"], /[A-Za-z0-9]{16,20}/],
  ["vault_token", ["hvs.", "hvb.", "hvr."], /[\w-]{24,}/],
  ["databricks_token", ["dapi"], /[a-f0-9]{32}/],
  ["pulumi_token", ["pul-"], /[a-f0-9]{40}/],
  ["doppler_token", ["dp."], /[a-z]{2,5}\.[\w.-]{40,}/],
  ["planetscale_token", ["pscale_tkn_", "pscale_oauth_", "pscale_pw_"], /[\w=.-]{32,}/],
  ["supabase_key", ["sbp_"], /[a-f0-9]{40}/],
  ["supabase_key", ["sb_secret_"], /[\w-]{20,}/],
  // Forges and package registries
  ["github_token", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], /[A-Za-z0-9]{36,255}/],
  ["github_token", ["github_pat_"], /\w{60,255}/],
  [
    "gitlab_token",
    ["pat", "dt", "rt", "rtr", "ptt", "oas", "cbt", "ft", "ffct", "soat", "imt", "agent"].map((kind) => `gl${kind}-`),
    /[\w.-]{20,}/,
  ],
  ["gitlab_token", ["GR1348941"], /[\w-]{20}/],
  ["atlassian_token", ["ATATT3", "ATCTT3"], /[\w=-]{40,}/],
  ["atlassian_token", ["ATBB"], /[A-Za-z0-9]{28,}/],
  ["npm_token", ["npm_"], /[A-Za-z0-9]{36}/],
  ["pypi_token", ["pypi-AgE"], /[\w-]{50,}/],
  ["rubygems_key", ["rubygems_"], /[a-f0-9]{48}/],
  ["nuget_key", ["oy2"], /[a-z0-9]{43}/],
  ["crates_token", ["cio"], /[A-Za-z0-9]{32}/],
  ["docker_token", ["dckr_pat_", "dckr_oat_"], /[\w-]{20,}/],
  // Payment and shops
  [
    "stripe_key",
    ["sk_test_", "sk_live_", "sk_prod_", "rk_test_", "rk_live_", "rk_prod_"],
    /[A-Za-z0-9]{10,250}/,
  ],
  ["stripe_key", ["whsec_"], /[A-Za-z0-9+/]{24,}={0,2}/],
  ["square_token", ["sq0"], /[a-z]{3}-[\w-]{22,}/],
  ["square_token", ["EAAA"], /[\w-]{40,60}/],
  ["paypal_token", ["access_token$production$", "access_token$sandbox$"], /[a-z0-9]{16}\$[a-f0-9]{32}/],
  ["paypal_token", ["A21AA"], /[\w-]{50,}/],
  ["mollie_key", ["live_", "test_"], /[A-Za-z0-9]{30}/],
  ["shopify_token", ["shpat_", "shpca_", "shppa_", "shpss_", "shpua_"], /[a-fA-F0-9]{32}/],
  // Chat and mail
  ["slack_token", ["xoxa", "xoxb", "xoxe", "xoxo", "xoxp", "xoxr", "xoxs"], /(?:\.xox[bp])?-[\w-]{10,}/],
  ["slack_token", ["xapp-"], /\d-[\w-]{20,}/],
  [
    "slack_webhook",
    ["services/", "workflows/", "triggers/"],
    /(?<=hooks\.slack\.com\/(?:services|workflows|triggers)\/)[\w/]{20,}/,
  ],
  ["twilio_key", Array.from("0123456789abcdef", (digit) => `SK${digit}`), /[0-9a-f]{31}/],
  ["sendgrid_key", ["SG."], /[\w-]{16,32}\.[\w-]{16,64}/],
  ["mailgun_key", ["key-"], /[0-9a-f]{32}/],
  ["brevo_key", ["xkeysib-"], /[a-f0-9]{64}-\w{16}/],
  ["facebook_token", ["EAA"], /[A-Za-z]\w{60,}/],
  // Models and tools
  ["ai_key", ["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-ant-", "sk-or-"], /[\w-]{20,}/],
  ["ai_key", ["sk-"], /[A-Za-z0-9]{32,}/],
  ["ai_key", ["gsk_"], /\w{40,}/],
  ["ai_key", ["xai-"], /\w{40,}/],
  ["ai_key", ["pplx-"], /\w{32,}/],
  ["ai_key", ["r8_"], /\w{37}/],
  ["huggingface_token", ["hf_", "api_org_"], /[A-Za-z0-9]{34}/],
  ["grafana_token", ["glc_", "glsa_"], /[\w+/=]{32,}/],
  ["sentry_token", ["sntrys_", "sntryu_"], /[\w+/=]{40,}/],
  ["newrelic_key", ["NRAK-", "NRII-", "NRRA-"], /[\w-]{27,40}/],
  ["linear_key", ["lin_api_", "lin_oauth_"], /\w{32,}/],
  ["notion_token", ["ntn_"], /\w{40,}/],
  ["notion_token", ["secret_"], /[A-Za-z0-9]{43}/],
  ["airtable_token", ["pat"], /\w{14}\.[a-f0-9]{64}/],
  ["postman_key", ["PMAK-"], /[a-f0-9]{24}-[a-f0-9]{34}/],
  ["figma_token", ["figd", "figo", "figu"], /r?_[\w-]{40,}/],
  ["dropbox_token", ["sl."], /[\w-]{60,}/],
  ["contentful_token", ["CFPAT-"], /[\w-]{43}/],
  ["typeform_token", ["tfp_"], /\w{40,}/],
  ["onepassword_key", ["A3-"], /[A-Z0-9]{6}-[A-Z0-9]{6,11}(?:-[A-Z0-9]{5}){3,4}/],
  ["onepassword_key", ["ops_eyJ"], /[\w+/]{100,}={0,3}/],
  ["age_key", ["AGE-SECRET-KEY-1"], /[A-Z0-9]{58}/],
];

/** Those that may begin with anything, or hold what else ends a token: a text that lacks what is named first holds none. */
export const FREE_SHAPES: readonly (readonly [kind: string, holds: string, shape: RegExp])[] = [
  ["azure_secret", "Q~", /[\w~.]{3}\dQ~[\w~.-]{31,34}/],
  ["terraform_token", ".atlasv1.", /\w{14}\.atlasv1\.[\w=-]{60,}/],
  ["discord_webhook", "/api/webhooks/", /(?<=\/api\/webhooks\/\d{5,25}\/)[\w-]{50,}/],
  ["telegram_token", ":A", /(?:bot)?\d{8,10}:A[\w-]{34}/],
  ["mailchimp_key", "-us", /[0-9a-f]{32}-us\d{1,2}/],
  ["twitch_token", "oauth:", /oauth:[a-z0-9]{30}/],
];

/** Found by its dots: see {@linkcode FREE_SHAPES}. */
export const DISCORD: readonly [kind: string, shape: RegExp] = [
  "discord_token",
  /[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}/,
];
