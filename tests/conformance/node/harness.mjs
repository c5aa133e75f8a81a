// Starts a Tideline server of its own for a test file, with a fresh data directory and a free port.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

function binary() {
  const candidates = process.env.TIDELINE_BINARY
    ? [process.env.TIDELINE_BINARY]
    : ['dev', 'release'].map((preset) => join(repository, 'build', preset, 'tideline'));
  const found = candidates.find(existsSync);
  if (!found) throw new Error(`no tideline binary: ${candidates.join(', ')}`);
  return found;
}

/** Resolves to {url, credentials, stop()}; stop() resolves to the exit status. */
export async function startServer() {
  const dataDir = mkdtempSync(join(tmpdir(), 'tideline-test.'));
  const child = spawn(binary(), ['serve', '--data-dir', dataDir, '--http', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal)));
  let log = '';
  child.stderr.on('data', (piece) => { log += piece; });
  const url = await new Promise((done, fail) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = /^tideline ready (http:\/\/127\.0\.0\.1:\d+)$/.exec(line);
      if (match) done(match[1]);
    });
    ended.then((status) => fail(new Error(`the server ended with ${status}: ${log}`)));
  });
  const key = JSON.parse(readFileSync(join(dataDir, 'root-key.json'), 'utf8'));
  return {
    url,
    credentials: { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey },
    async stop() {
      child.kill('SIGTERM');
      const status = await ended;
      rmSync(dataDir, { recursive: true, force: true });
      return status;
    },
  };
}
