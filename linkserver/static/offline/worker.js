// Keeps the offline page, so that it opens without network. MARK, PAGE, PAGES, FILES and LISTS stand in front of this
// text when the server sends it; MARK changes with any of the page's bytes, and a new worker then takes over.
// It never sees a code: what is checked stays in the page.

const SHELL = `shell-${MARK}`;
const KEPT_LISTS = "lists";
const PATIENCE = 5_000; // ms until the kept list is shown instead of a newer one

self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(sweep().then(() => self.clients.claim())));

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname, search } = new URL(url);
  if (method !== "GET" || origin !== self.location.origin) return;
  if (LISTS.includes(pathname)) event.respondWith(newest(pathname));
  else if (pathname === PAGE) event.respondWith(page(pathname + search));
  else if (FILES.includes(pathname)) event.respondWith(kept(pathname));
  else if (mode === "navigate") event.respondWith(fetch(event.request).catch(() => kept(PAGE)));
});

async function fill() {
  const shell = await caches.open(SHELL);
  await shell.addAll([PAGE, ...FILES].map((path) => new Request(path, { cache: "reload" })));
  for (const path of PAGES) {
    // without the cookie, and without setting it: the person did not ask for another language
    await shell.put(path, await fetch(path, { cache: "reload", credentials: "omit" }));
  }
  await Promise.all(LISTS.map((path) => newest(path)));
}

async function sweep() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => ![SHELL, KEPT_LISTS].includes(name)).map((name) => caches.delete(name)));
}

async function kept(path) {
  const shell = await caches.open(SHELL);
  return (await shell.match(path, { ignoreVary: true })) ?? fetch(path);
}

// The page in the language that is asked for, which is then the one that PAGE alone opens in.
async function page(path) {
  if (!PAGES.includes(path)) return kept(PAGE);
  const shown = await kept(path);
  if (shown.ok) await (await caches.open(SHELL)).put(PAGE, shown.clone());
  return shown;
}

async function newest(path) {
  const lists = await caches.open(KEPT_LISTS);
  try {
    const fresh = await fetch(path, { cache: "no-cache", credentials: "omit", signal: AbortSignal.timeout(PATIENCE) });
    if (fresh.ok) {
      await lists.put(path, fresh.clone());
      return fresh;
    }
  } catch {
    // no network: the kept one
  }
  return (await lists.match(path, { ignoreVary: true })) ?? Response.error();
}
