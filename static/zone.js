// Shows the times in the reader's own zone. Runs only on a page whose address names no zone,
// and gives it one: so it can never run twice.
(() => {
  const here = new URL(location.href);
  if (here.searchParams.has("tz")) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || zone === document.documentElement.dataset.zone) return;
  here.searchParams.set("tz", zone);
  location.replace(here);
})();
