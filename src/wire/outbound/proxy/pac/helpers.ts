/**
 * The functions that a PAC file may call, as source text: they run where the file runs, and have no more rights than it.
 *
 * @module
 */

/**
 * What Netscape's "Navigator Proxy Auto-Config File Format" defines, and browsers still have. `dnsResolve`, `myIpAddress` and
 * `alert` are not among them: those are the host's.
 */
export const PAC_HELPERS = `"use strict";
function isPlainHostName(host) {
  return host.indexOf(".") === -1 && host.indexOf(":") === -1;
}
function dnsDomainIs(host, domain) {
  return host.length >= domain.length && host.substring(host.length - domain.length) === domain;
}
function localHostOrDomainIs(host, hostdom) {
  return host === hostdom || (host.indexOf(".") === -1 && hostdom.lastIndexOf(host + ".", 0) === 0);
}
function isResolvable(host) {
  return dnsResolve(host) !== null;
}
function dnsDomainLevels(host) {
  return host.split(".").length - 1;
}
function convert_addr(address) {
  var match = /^(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})$/.exec(address);
  if (match === null) return 0;
  return (match[1] & 255) << 24 | (match[2] & 255) << 16 | (match[3] & 255) << 8 | (match[4] & 255);
}
function isInNet(host, pattern, mask) {
  var address = /^\\d{1,3}(\\.\\d{1,3}){3}$/.test(host) ? host : dnsResolve(host);
  if (address === null || address.indexOf(":") !== -1) return false;
  var bits = convert_addr(mask);
  return (convert_addr(address) & bits) === (convert_addr(pattern) & bits);
}
function shExpMatch(text, pattern) {
  // Two fingers instead of a regular expression, which hostile patterns make slow.
  var t = 0, p = 0, star = -1, from = 0;
  while (t < text.length) {
    if (pattern.charAt(p) === "*") {
      star = p++;
      from = t;
    } else if (p < pattern.length && (pattern.charAt(p) === "?" || pattern.charAt(p) === text.charAt(t))) {
      p++;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (pattern.charAt(p) === "*") p++;
  return p === pattern.length;
}
var weekdayRange, dateRange, timeRange;
(function () {
  var DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
  var MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
  // A last argument "GMT" counts for all the others.
  function read(given) {
    var values = Array.prototype.slice.call(given);
    var gmt = values[values.length - 1] === "GMT";
    if (gmt) values.pop();
    var now = new Date();
    function part(name) {
      return gmt ? now["getUTC" + name]() : now["get" + name]();
    }
    return { values: values, part: part };
  }
  // A range may go over the end: from Friday to Monday, from 22 to 6 o'clock.
  function within(first, value, last) {
    return first <= last ? first <= value && value <= last : value >= first || value <= last;
  }
  weekdayRange = function () {
    var call = read(arguments);
    var first = DAYS.indexOf(call.values[0]);
    var last = call.values.length > 1 ? DAYS.indexOf(call.values[1]) : first;
    return first !== -1 && last !== -1 && within(first, call.part("Day"), last);
  };
  timeRange = function () {
    var call = read(arguments), values = call.values.map(Number);
    var hour = call.part("Hours"), minute = call.part("Minutes"), second = call.part("Seconds");
    switch (values.length) {
      case 1:
        return hour === values[0];
      case 2:
        return within(values[0], hour, values[1]);
      case 4:
        return within(values[0] * 60 + values[1], hour * 60 + minute, values[2] * 60 + values[3]);
      case 6:
        return within(
          (values[0] * 60 + values[1]) * 60 + values[2],
          (hour * 60 + minute) * 60 + second,
          (values[3] * 60 + values[4]) * 60 + values[5]
        );
      default:
        return false;
    }
  };
  // Days, months and years, any of them left out, each given once, or all of them twice for a range.
  dateRange = function () {
    var call = read(arguments), parts = call.values.map(dated), half = parts.length / 2;
    function today(it) {
      var name = { day: "Date", month: "Month", year: "FullYear" }[it.kind];
      return { kind: it.kind, value: call.part(name) };
    }
    function kinds(list) {
      return list.map(function (it) { return it.kind; });
    }
    if (parts.length === 0 || kinds(parts).indexOf("bad") !== -1) return false;
    var single = kinds(parts).every(function (kind, at, all) { return all.indexOf(kind) === at; });
    if (single) return parts.every(function (it) { return it.value === today(it).value; });
    var first = parts.slice(0, half), last = parts.slice(half);
    if (kinds(first).join() !== kinds(last).join()) return false;
    var from = number(first), now = number(first.map(today)), to = number(last);
    // Without a year a range may go over the end of one.
    return kinds(first).indexOf("year") === -1 ? within(from, now, to) : from <= now && now <= to;
  };
  function dated(value) {
    if (MONTHS.indexOf(value) !== -1) return { kind: "month", value: MONTHS.indexOf(value) };
    value = Number(value);
    return { kind: value >= 1 && value <= 31 ? "day" : value >= 1000 ? "year" : "bad", value: value };
  }
  function number(parts) {
    var all = { year: 0, month: 0, day: 0 };
    parts.forEach(function (it) { all[it.kind] = it.value; });
    return (all.year * 12 + all.month) * 32 + all.day;
  }
})();
`;
