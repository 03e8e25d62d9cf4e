// When a session ends by itself. The engine's supervisor sees to that, whatever becomes of this process; here are the same clocks again, for as long as this
// process lives, so that onDestroy is called, and so that what is no command (reading a file, waiting for a port) counts as activity as well.

export class Lifetime {
  #end;
  #touch;
  #idleMs;
  #ttl;
  #idle;
  #ticking;
  #active = 0;
  #used = false;

  /** `end` is called when time is up, `touch` so that the supervisor takes notice. */
  constructor({ ttlMs, idleTimeoutMs, autoDestroy = true } = {}, { end, touch }) {
    this.#end = end;
    this.#touch = touch;
    if (!autoDestroy) return;
    this.#idleMs = idleTimeoutMs;
    if (ttlMs !== undefined) this.#ttl = setTimeout(end, ttlMs).unref();
    if (idleTimeoutMs !== undefined) this.#ticking = setInterval(() => this.#tick(), Math.max(1, idleTimeoutMs / 3)).unref();
    this.#wait();
  }

  #wait() {
    if (this.#idleMs !== undefined && this.#active === 0) this.#idle = setTimeout(this.#end, this.#idleMs).unref();
  }

  #tick() {
    if (this.#active > 0 || this.#used) this.#touch();
    this.#used = false;
  }

  async during(operation) {
    this.#active++;
    clearTimeout(this.#idle);
    try {
      return await operation();
    } finally {
      this.#active--;
      this.#used = true;
      if (this.#ticking || this.#ttl) this.#wait();
    }
  }

  stop() {
    for (const timer of [this.#ttl, this.#idle, this.#ticking]) clearTimeout(timer);
    this.#ttl = this.#idle = this.#ticking = this.#idleMs = undefined;
  }
}
