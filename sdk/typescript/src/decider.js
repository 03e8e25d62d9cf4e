// Who answers the filters of wrapped commands: the ask callback about hosts that are on neither list, filterRequest about requests. srt connects to a socket of ours and
// says the command's token; from then on it is the filter that asks, in the frames of srt(1)'s proxy. What a callback does not answer, or answers by an
// exception, is refused. They are called by Node's own loop: who waits for a command with spawnSync cannot answer meanwhile.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';

const FRAME_MAX = 48 << 20; // a body, coded
const BODY_MAX = 32 << 20;
const REASON_MAX = 500;
const TOKEN_MS = 10_000;
const FAILED = 'permission prompt failed';

/** One line, not too long; undefined when there is none. */
const line = text =>
  typeof text === 'string' ? text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, REASON_MAX).trim() || undefined : undefined;

function deny(reason, status) {
  const good = Number.isInteger(status) && status >= 400 && status <= 599;
  return { action: 'deny', status: good ? status : 403, ...(reason ? { reason } : {}) };
}

/** True, or what says so with `allow`; all else is no. */
const hostVerdict = answer => (answer === true || answer?.allow === true ? { action: 'allow' } : deny(line(answer?.reason)));

function requestVerdict(answer) {
  if (answer?.action !== 'allow') return deny(line(answer?.reason), answer?.status);
  const verdict = { action: 'allow' };
  const set = Object.entries(answer.setHeaders ?? {});
  if (set.length) verdict.setHeaders = Object.fromEntries(set.map(([name, value]) => [name.toLowerCase(), [value].flat()]));
  if (answer.removeHeaders?.length) verdict.removeHeaders = [...new Set(answer.removeHeaders.map(name => name.toLowerCase()))];
  return verdict;
}

/** The filter's question as the web has it. Its body is asked for when somebody reads it; one that is too long fails. */
function requestOf({ method, host, port, path, query, headers = {}, sni }, body) {
  const url = `${sni === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}${path}${query === undefined ? '' : `?${query}`}`;
  const told = new Headers();
  for (const [name, values] of Object.entries(headers)) for (const value of values) told.append(name, value);
  if (['GET', 'HEAD'].includes(method)) return new Request(url, { method, headers: told });
  const stream = new ReadableStream({
    async pull(controller) {
      const bytes = await body();
      if (bytes.length) controller.enqueue(bytes);
      controller.close();
    },
  }, { highWaterMark: 0 });
  return new Request(url, { method, headers: told, body: stream, duplex: 'half' });
}

class Link {
  #socket;
  #commands;
  #command;
  #greeted = false;
  #parts = [];
  #held = 0;
  #bodies = new Map();

  constructor(socket, commands) {
    this.#socket = socket;
    this.#commands = commands;
    const late = setTimeout(() => this.#command ?? socket.destroy(), TOKEN_MS);
    late.unref();
    socket.unref();
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => clearTimeout(late));
    socket.on('data', chunk => {
      try {
        this.#take(chunk);
      } catch {
        socket.destroy(); // whoever that is, it has nothing to ask any more
      }
    });
  }

  #take(chunk) {
    this.#parts.push(chunk);
    this.#held += chunk.length;
    while (this.#held >= 4) {
      let all = Buffer.concat(this.#parts);
      const n = all.readUInt32BE(0);
      if (n > FRAME_MAX) throw new Error('a frame is too long');
      this.#parts = [all];
      if (all.length < 4 + n) return;
      this.#parts = [all.subarray(4 + n)];
      this.#held = all.length - 4 - n;
      this.#hear(JSON.parse(all.subarray(4, 4 + n).toString()));
    }
  }

  #send(frame) {
    const data = Buffer.from(JSON.stringify(frame));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat([head, data]));
  }

  #hear(frame) {
    if (!this.#command) {
      this.#command = this.#commands.get(frame.token);
      if (!this.#command) throw new Error('nobody knows that token');
    } else if (!this.#greeted) {
      this.#greeted = true;
      this.#send({ t: 'hello', proto: 1, allowedDomains: [], deniedDomains: [] });
    } else if (frame.t === 'body') {
      this.#bodies.get(frame.id)?.(frame);
    } else {
      this.#answer(frame);
    }
  }

  #body(id) {
    return new Promise((resolve, reject) => {
      this.#bodies.set(id, ({ data, cut }) => (cut ? reject(new Error(`the body is longer than ${BODY_MAX} bytes`)) : resolve(Buffer.from(data, 'base64'))));
      this.#send({ t: 'verdict', id, action: 'need_body', max: BODY_MAX });
    });
  }

  async #decide(frame) {
    const { ask, filterRequest } = this.#command;
    if (frame.t === 'ask') return ask ? hostVerdict(await ask({ host: frame.host, port: frame.port })) : deny(FAILED);
    const info = { host: frame.host, port: frame.port, sni: frame.sni, hostHeader: frame.hostHeader, path: frame.path, query: frame.query };
    return filterRequest ? requestVerdict(await filterRequest(requestOf(frame, () => this.#body(frame.id)), info)) : deny();
  }

  async #answer(frame) {
    let verdict;
    try {
      verdict = await this.#decide(frame);
    } catch {
      verdict = deny(frame.t === 'ask' ? FAILED : undefined); // whatever it threw: it has not allowed it
    }
    this.#bodies.delete(frame.id);
    this.#send({ t: 'verdict', id: frame.id, ...verdict });
  }
}

export class Decider {
  #path;
  #commands = new Map();
  #sockets = new Set();
  #server;
  #listening;

  /** In a directory that only this user may enter. */
  constructor(folder) {
    this.#path = join(folder, 'decider');
    this.#server = createServer(socket => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      new Link(socket, this.#commands);
    });
    this.#server.unref();
    this.#listening = new Promise((resolve, reject) => this.#server.once('error', reject).listen(this.#path, resolve));
  }

  /** What srt has to know, for one command. */
  async variable(command) {
    await this.#listening;
    const token = randomBytes(16).toString('hex');
    this.#commands.set(token, command);
    return `${command.ask && command.filterRequest ? 'both' : command.ask ? 'hosts' : 'requests'}:${token}:${this.#path}`;
  }

  close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
