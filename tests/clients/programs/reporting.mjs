// What the JavaScript clients have in common, in Node and in a page: reporting, and waiting for what must come.

const PATIENCE_SECONDS = 30;

/**
 * One program's report, as JSON objects handed to `write`: `{version}` once, `{feature}` for each that works,
 * `{feature, failed}` for the first that does not, `{problem, during}` for whatever the client complains of.
 */
export class Report {
  failed = false;
  #write;
  #current = "start";

  constructor(write) {
    this.#write = write;
  }

  version(version) {
    this.#write({ version });
  }

  problem(error) {
    this.#write({ problem: told(error), during: this.#current });
  }

  /** Try one feature; throws what it throws, for nothing that follows could be trusted. */
  async feature(name, attempt) {
    this.#current = name;
    try {
      await attempt();
    } catch (error) {
      this.failed = true;
      this.#write({ feature: name, failed: told(error) });
      throw error;
    }
    this.#write({ feature: name });
  }
}

/** All that arrived, in order; `after(place, …)` waits for the next of a kind behind a place in it. */
export class Received {
  #events = [];
  #waiting = new Set();

  get here() {
    return this.#events.length;
  }

  push(event) {
    this.#events.push(event);
    for (const look of this.#waiting) look();
  }

  placeOf(event) {
    return this.#events.indexOf(event);
  }

  since(place, type) {
    return this.#events.slice(place).filter((event) => event.type === type);
  }

  /** The first event of `type` behind `place` for which `fits` holds; throws when none comes in time. */
  after(place, type, fits = () => true) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.since(place, type).find(fits);
        if (found) done(() => resolve(found));
      };
      const done = (settle) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle();
      };
      const timer = setTimeout(() => {
        const came = [...new Set(this.#events.slice(place).map((event) => event.type))].join(", ");
        done(() => reject(new Error(`no ${type} as it should be; what came: ${came || "nothing"}`)));
      }, PATIENCE_SECONDS * 1000);
      this.#waiting.add(look);
      look();
    });
  }
}

export function must(condition, message) {
  if (!condition) throw new Error(message);
}

/** An error in words, however deep the client has wrapped it. */
export function told(error) {
  if (error instanceof Error) return error.stack ?? error.message;
  if (typeof error !== "object" || error === null) return String(error);
  if (error.error) return told(error.error);
  return error.message ?? JSON.stringify(error);
}
