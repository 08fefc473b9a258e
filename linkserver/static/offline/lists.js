// The public keys and the revocation list: the only requests of this page. They say nothing about what is checked. The
// service worker answers them with what it kept where there is no network; `Date` tells from when that is.

const STEPS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

async function fetched(path) {
  const response = await fetch(path, { cache: "no-cache", credentials: "omit" });
  if (!response.ok) throw new Error(path);
  const [date] = response.headers.get("Date").match(/^[^,]+,[^,]+/); // some servers say it twice
  return [await response.json(), Date.parse(date)];
}

// "3 jam yang lalu", "in words" of the page's language
export function ago(moment, language, now = Date.now()) {
  const passed = Math.max(0, now - moment);
  const [unit, length] = STEPS.find(([, most]) => passed >= most) ?? ["minute", 60_000];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-Math.floor(passed / length), unit);
}

// {keys, ended, age, isOld}; without keys where nothing could be fetched and nothing is kept. `hc1Kids` has the short
// name that each key has in HC1 codes, by its kid.
export async function load([keysAt, revokedAt], hc1Kids, language) {
  try {
    const [[{ keys }, keysFrom], [revoked, revokedFrom]] = await Promise.all([fetched(keysAt), fetched(revokedAt)]);
    const from = Math.min(keysFrom, revokedFrom);
    const hc1 = new Set(revoked.hc1);
    const shc = new Set(Object.values(revoked.shc).flat());
    const replaced = revoked.replaced && new Set(revoked.replaced); // a list of an older version does not say
    return {
      keys: keys.map((jwk) => ({ jwk, kid: jwk.kid, hc1Kid: hc1Kids[jwk.kid] })),
      ended: ({ kind, id }) => {
        if (!(kind === "hc1" ? hc1 : shc).has(id)) return null;
        if (!replaced) return "ended";
        return replaced.has(id) ? "replaced" : "revoked";
      },
      age: ago(from, language),
      isOld: Date.now() - from > STEPS[0][1],
    };
  } catch {
    return { keys: null, ended: () => null, age: "", isOld: false };
  }
}
