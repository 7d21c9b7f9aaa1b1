/** The functions that PAC files call. Their source is ours, so it may run here; PAC files never do. */
import { describe, expect, test } from "vitest";
import { PAC_HELPERS } from "../../../src/wire/outbound/proxy/pac/helpers.ts";

const DNS: Record<string, string> = { "a.test": "10.1.2.3", "six.test": "fd00::1" };

/** Evaluates an expression with the helpers, at a given moment. */
function evaluate(expression: string, now = "2026-06-17T12:30:15Z"): unknown {
  class FixedDate extends Date {
    constructor() {
      super(now);
    }
  }
  const run = new Function("Date", "dnsResolve", `${PAC_HELPERS}; return ${expression};`);
  return run(FixedDate, (name: string) => DNS[name] ?? null);
}

describe("names and addresses", () => {
  test.each<[string, unknown]>([
    [`isPlainHostName("www")`, true],
    [`isPlainHostName("www.a.test")`, false],
    [`isPlainHostName("::1")`, false],
    [`dnsDomainIs("www.a.test", ".a.test")`, true],
    [`dnsDomainIs("www", ".a.test")`, false],
    [`dnsDomainIs("www.b.test", ".a.test")`, false],
    [`localHostOrDomainIs("www.a.test", "www.a.test")`, true],
    [`localHostOrDomainIs("www", "www.a.test")`, true],
    [`localHostOrDomainIs("www.b.test", "www.a.test")`, false],
    [`localHostOrDomainIs("home.a.test", "www.a.test")`, false],
    [`localHostOrDomainIs("w", "www.a.test")`, false],
    [`isResolvable("a.test")`, true],
    [`isResolvable("b.test")`, false],
    [`dnsDomainLevels("www")`, 0],
    [`dnsDomainLevels("www.a.test")`, 2],
    [`convert_addr("104.16.41.2")`, 1745889538],
    [`convert_addr("x")`, 0],
    [`isInNet("10.1.2.3", "10.0.0.0", "255.0.0.0")`, true],
    [`isInNet("11.1.2.3", "10.0.0.0", "255.0.0.0")`, false],
    [`isInNet("255.1.2.3", "255.0.0.0", "255.0.0.0")`, true],
    [`isInNet("a.test", "10.1.2.0", "255.255.255.0")`, true],
    [`isInNet("a.test", "10.1.2.4", "255.255.255.255")`, false],
    [`isInNet("b.test", "0.0.0.0", "0.0.0.0")`, false],
    [`isInNet("six.test", "0.0.0.0", "0.0.0.0")`, false],
    [`isInNet("10.2.3.test", "0.0.0.0", "0.0.0.0")`, false],
  ])("%s is %j", (expression, result) => {
    expect(evaluate(expression)).toBe(result);
  });
});

describe("shExpMatch", () => {
  test.each<[string, string, boolean]>([
    ["http://home.test/people/ari/index.html", "*/ari/*", true],
    ["http://home.test/people/montulli/index.html", "*/ari/*", false],
    ["www.a.test", "*.a.test", true],
    ["wwwXa.test", "*.a.test", false],
    ["a.test", "?.test", true],
    ["aa.test", "?.test", false],
    ["", "*", true],
    ["", "?", false],
    ["abc", "abc", true],
    ["abc", "ab", false],
    ["ab", "abc", false],
    ["a*c", "a*c", true],
    ["a(b)[c]+$", "a(b)[c]+$", true],
    ["ab", "a**b**", true],
    [`${"a".repeat(5000)}b`, `${"*a".repeat(20)}*c`, false],
  ])("%s matches %s: %j", (text, pattern, result) => {
    expect(evaluate(`shExpMatch(${JSON.stringify(text)}, ${JSON.stringify(pattern)})`)).toBe(result);
  });
});

describe("on Wednesday the 17th of June 2026, 12:30:15 GMT", () => {
  test.each<[string, boolean]>([
    [`weekdayRange("WED", "GMT")`, true],
    [`weekdayRange("THU", "GMT")`, false],
    [`weekdayRange("MON", "FRI", "GMT")`, true],
    [`weekdayRange("SAT", "WED", "GMT")`, true],
    [`weekdayRange("FRI", "TUE", "GMT")`, false],
    [`weekdayRange("WED", "WED", "GMT")`, true],
    [`weekdayRange("WEDNESDAY", "GMT")`, false],
    [`timeRange(12, "GMT")`, true],
    [`timeRange(13, "GMT")`, false],
    [`timeRange(12, 13, "GMT")`, true],
    [`timeRange(22, 6, "GMT")`, false],
    [`timeRange(22, 13, "GMT")`, true],
    [`timeRange(12, 30, 12, 31, "GMT")`, true],
    [`timeRange(12, 31, 13, 0, "GMT")`, false],
    [`timeRange(23, 0, 12, 30, "GMT")`, true],
    [`timeRange(12, 30, 15, 12, 30, 16, "GMT")`, true],
    [`timeRange(12, 30, 16, 12, 31, 0, "GMT")`, false],
    [`timeRange("GMT")`, false],
    [`dateRange(17, "GMT")`, true],
    [`dateRange(18, "GMT")`, false],
    [`dateRange("JUN", "GMT")`, true],
    [`dateRange("JUL", "GMT")`, false],
    [`dateRange(2026, "GMT")`, true],
    [`dateRange(2025, "GMT")`, false],
    [`dateRange(17, "JUN", "GMT")`, true],
    [`dateRange(17, "JUL", "GMT")`, false],
    [`dateRange("JUN", 2026, "GMT")`, true],
    [`dateRange("JUN", 2025, "GMT")`, false],
    [`dateRange(17, "JUN", 2026, "GMT")`, true],
    [`dateRange(18, "JUN", 2026, "GMT")`, false],
    [`dateRange(1, 17, "GMT")`, true],
    [`dateRange(18, 31, "GMT")`, false],
    [`dateRange(28, 17, "GMT")`, true],
    [`dateRange("JAN", "MAR", "GMT")`, false],
    [`dateRange("NOV", "JUN", "GMT")`, true],
    [`dateRange(2020, 2026, "GMT")`, true],
    [`dateRange(2027, 2030, "GMT")`, false],
    [`dateRange(2027, 2020, "GMT")`, false],
    [`dateRange(1, "JUN", 15, "AUG", "GMT")`, true],
    [`dateRange(18, "JUN", 15, "AUG", "GMT")`, false],
    [`dateRange(24, "DEC", 17, "JUN", "GMT")`, true],
    [`dateRange("OCT", 2025, "MAR", 2027, "GMT")`, true],
    [`dateRange("JUL", 2026, "MAR", 2027, "GMT")`, false],
    [`dateRange(1, "JUN", 2025, 16, "JUN", 2026, "GMT")`, false],
    [`dateRange(1, "JUN", 2025, 17, "JUN", 2026, "GMT")`, true],
    [`dateRange("x", "GMT")`, false],
    [`dateRange("GMT")`, false],
  ])("%s is %j", (expression, result) => {
    expect(evaluate(expression)).toBe(result);
  });

  test("without GMT the clock of this machine counts", () => {
    const now = new Date("2026-06-17T12:30:15Z");
    expect(evaluate(`timeRange(${now.getHours()}, ${now.getMinutes()}, ${now.getHours()}, ${now.getMinutes() + 1})`))
      .toBe(true);
    expect(evaluate(`dateRange(${now.getDate()})`)).toBe(true);
  });
});
