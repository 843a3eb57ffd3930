// On every page of somebody who is signed in: when their session is over, what the page shows goes, and the page goes to
// the sign-in. Nobody is believed but the server: a word from another tab, the clock or a look back only makes us ask.
"use strict";

{
  const mark = document.querySelector('meta[name="session"]');
  const LOOK_EVERY_MS = 60_000, LOOK_AGAIN_MS = 5_000; // a tab that nobody sees asks only when its time is up
  const stays = mark.hasAttribute("data-stays"); // works without a network and without a session: it only forgets
  const tabs = globalThis.BroadcastChannel ? new BroadcastChannel("session") : null;
  let endsAt = 0, lookedAt = 0, timer = 0, asking = null, over = false;

  const expect = (leftS) => {
    endsAt = Date.now() + leftS * 1000;
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(LOOK_AGAIN_MS, leftS * 1000 + 1000));
  };

  const forget = () => {
    document.dispatchEvent(new Event("session:over"));
    for (const each of document.querySelectorAll("[data-of-session]")) each.remove();
  };

  const leave = () => {
    over = true;
    clearTimeout(timer);
    document.title = "";
    document.body.replaceChildren();
    location.replace(mark.dataset.signIn);
  };

  /** What the server says: {session, left_s}; null where it cannot be asked. */
  const ask = async () => {
    try {
      const answer = await fetch(mark.dataset.ask, { cache: "no-store" });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  };

  const look = () => {
    asking ??= (async () => {
      const said = await ask();
      [asking, lookedAt] = [null, Date.now()];
      if (said?.session === mark.content) expect(said.left_s);
      else if (stays && !said?.session) { if (said) forget(); }
      else if (said || Date.now() >= endsAt) leave();
      return said;
    })();
    return asking;
  };

  expect(Number(mark.dataset.leftS));
  setInterval(() => { if (!document.hidden && !over) look(); }, LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !over && Date.now() - lookedAt > LOOK_AGAIN_MS) look();
  });

  // A page that the browser kept whole to come back to shows nothing before it has asked.
  const show = (shown) => { document.documentElement.style.visibility = shown ? "" : "hidden"; };
  addEventListener("pagehide", (event) => { if (event.persisted) show(stays); });
  addEventListener("pageshow", async (event) => {
    if (!event.persisted) return;
    const said = await look();
    if (over) return;
    if (!said && !stays) location.reload();
    else show(true);
  });

  if (tabs) {
    tabs.onmessage = (event) => { if (event.data !== mark.content && !over) look(); };
    tabs.postMessage(mark.content); // pages of somebody who was signed in before hear that it is another session
  }
}
