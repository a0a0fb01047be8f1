// Live parts. An element with data-live="topic" gets the event "live" when what it shows has changed, and htmx asks for it again
// (hx-trigger="live"). The server says topics only (pages/live/app.py); "all" is every part. One stream for a page, none for a
// page without such parts, and none while nobody looks: browsers open few connections to one host.
"use strict";

(() => {
  const LOOK_AGAIN = 30_000;
  // Longer than two of the server's beats: the stream is not there, or something on the way holds it back.
  const SILENCE = 45_000;

  let stream = null;
  let heard = 0;

  function tell(topic) {
    for (const part of document.querySelectorAll("[data-live]")) {
      if (topic === "all" || part.dataset.live === topic) part.dispatchEvent(new Event("live"));
    }
  }

  function open() {
    stream = new EventSource("/live");
    stream.onmessage = (message) => {
      heard = Date.now();
      tell(message.data);
    };
    // The browser tries again by itself where it only lost the connection.
    stream.onerror = () => { if (stream?.readyState === EventSource.CLOSED) stream = null; };
  }

  function listen() {
    const wanted = !document.hidden && document.querySelector("[data-live]");
    if (wanted && !stream) open();
    if (!wanted && stream) {
      stream.close();
      stream = null;
    }
  }

  // The net below the stream.
  setInterval(() => {
    listen();
    if (!document.hidden && Date.now() - heard > SILENCE) tell("all");
  }, LOOK_AGAIN);

  heard = Date.now();
  listen();
  document.addEventListener("visibilitychange", listen);
  document.addEventListener("htmx:load", listen);
})();
