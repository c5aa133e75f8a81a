"""The systems that benchmarks start, load and stop: Tideline and its peers, each on a directory of its own."""

import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench/peers"
KEYS = {"TIDELINE_ACCESS_KEY_ID": "BENCHKEY", "TIDELINE_SECRET_ACCESS_KEY": "bench-secret"}
READY = "tideline ready "
# Files that were replaced go ten seconds after the last change.
REST_SECONDS_QUIET, REST_SECONDS_MAX = 20, 1800


class Asked:
    """A process that answers JSON lines."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, **options)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a client ended (status {self.process.wait()})")
        reply = json.loads(line)
        if "error" in reply:
            raise SystemExit(f"{request.get('sql', request)}: {reply['error']}")
        return reply

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)


class TidelineServer:
    """`binaries` is the build directory; `data` are the options of tideline_devops that make the rows."""

    def __init__(self, binaries, directory, data):
        self.binaries, self.directory, self.data = binaries, directory, data
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.binaries / "tideline", "serve", "--data-dir", self.directory, "--http", "127.0.0.1:0",
             "--log-level", "warning"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, **KEYS})
        line = self.process.stdout.readline()
        if not line.startswith(READY):
            raise SystemExit(f"the server did not start (status {self.process.wait()})")
        self.url = line[len(READY):].strip()
        self.client = Asked([self.binaries / "tideline_devops", "ask", "--endpoint", self.url],
                            env={**os.environ, **KEYS})

    def load(self, shape, table):
        done = subprocess.run(
            [self.binaries / "tideline_devops", "load", "--endpoint", self.url, "--shape", shape,
             "--table", table, *self.data], env={**os.environ, **KEYS}, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit("the load failed")
        figures = json.loads(done.stdout)
        print(f"tideline: {figures['rows']:,} {shape} records in {figures['seconds']:.1f} s")

    def stop(self):
        self.client.stop()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(300)

    def metric(self, name):
        with urllib.request.urlopen(self.url + "/metrics") as page:
            for line in page.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        raise SystemExit(f"the server has no metric {name}")

    def rest(self, table):
        """Waits until every row lies in the magnetic store and nothing is merged any more."""
        subprocess.run([self.binaries / "tideline_devops", "rest", "--endpoint", self.url, "--table", table],
                       env={**os.environ, **KEYS}, check=True)
        self.restart()
        deadline, quiet, before = time.time() + REST_SECONDS_MAX, 0, None
        while quiet < REST_SECONDS_QUIET:
            if time.time() > deadline:
                raise SystemExit(f"rows did not come to rest within {REST_SECONDS_MAX} s")
            time.sleep(1)
            now = [self.metric(f"tideline_{name}") for name in
                   ("segments", "magnetic_segments", "hot_bytes", "moved_rows", "consolidated_rows")]
            quiet = quiet + 1 if now == before and now[0] == now[1] else 0
            before = now
        print(f"tideline: {before[1]:.0f} segments in the magnetic store, {before[3]:,.0f} rows moved, "
              f"{before[4]:,.0f} merged there")

    def restart(self):
        self.stop()
        self.start()


class PostgresServer:
    """A cluster of its own, by Debian's binaries; never as root, which it refuses."""

    def __init__(self, directory):
        homes = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        if not homes:
            raise SystemExit("PostgreSQL is not installed (Debian: postgresql)")
        self.home, self.directory = homes[-1], directory
        os.mkdir(directory)
        self.prefix = []
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres")
            self.prefix = ["runuser", "-u", "postgres", "--"]
        self.run("initdb", "-D", f"{directory}/data", "-A", "trust", "-U", "postgres")
        settings = ("-c listen_addresses='' -c shared_buffers=2GB -c work_mem=256MB "
                    f"-c max_wal_size=8GB -k {directory}")
        self.run("pg_ctl", "-D", f"{directory}/data", "-w", "-o", settings, "-l", f"{directory}/log", "start")

    def run(self, program, *arguments):
        subprocess.run([*self.prefix, self.home / program, *arguments], check=True,
                       stdout=subprocess.DEVNULL, cwd=self.directory)

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.directory}/data", "-m", "immediate", "stop")


def install_node_peers():
    if not (PEERS / "node_modules").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, check=True,
                       stdout=subprocess.DEVNULL)


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (f"{model}, {len(os.sched_getaffinity(0))} cores, {pages / 2**30:.0f} GiB, "
            f"{platform.system()} {platform.release()}")


def print_table(lines):
    print("| " + " | ".join(lines[0]) + " |")
    print("|" + "---|" * len(lines[0]))
    for line in lines[1:]:
        print("| " + " | ".join(line) + " |")


LINES_PER_REQUEST = 5_000
BLOCK_BYTES = 512  # of st_blocks, whatever the file system
PEER_SECONDS_MAX = 900


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def bytes_of(directory, without=()):
    """What all files below it take of the disk; `without` names files and directories directly in it."""
    total = 0
    for path, directories, files in os.walk(directory):
        if path == str(directory):
            directories[:] = [name for name in directories if name not in without]
            files = [name for name in files if name not in without]
        total += sum(os.stat(os.path.join(path, name)).st_blocks * BLOCK_BYTES for name in files)
    return total


def line_protocol(csv_path, tag_count):
    """Bodies of LINES_PER_REQUEST lines, from rows of time, tags and fields."""
    with open(csv_path) as rows:
        names = next(rows).rstrip("\n").split(",")
        tags, fields = names[1:1 + tag_count], names[1 + tag_count:]
        form = "cpu," + ",".join(f"{name}=%s" for name in tags) + " " + ",".join(f"{name}=%s" for name in fields)
        lines = []
        for row in rows:
            moment, *cells = row.rstrip("\n").split(",")
            lines.append(f"{form % tuple(cells)} {moment}\n")
            if len(lines) == LINES_PER_REQUEST:
                yield "".join(lines).encode()
                lines.clear()
        if lines:
            yield "".join(lines).encode()


class LineProtocolServer:
    """A peer that takes line protocol over HTTP; `command` and `environment` start it on `port`."""

    name = program = package = ""

    def __init__(self, directory):
        if shutil.which(self.program) is None:
            raise SystemExit(f"{self.name} is not installed (Debian: {self.package})")
        self.directory = directory
        os.makedirs(directory)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process = None

    def start(self, command, environment):
        with open(f"{self.directory}/log", "w") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
        self.wait(lambda: self.answers("/ping" if self.name == "influxdb" else "/health"), "start")

    def answers(self, path):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.name} ended (status {self.process.returncode}); see {self.directory}/log")
        try:
            self.get(path)
            return True
        except OSError:
            return False

    def wait(self, done, what):
        deadline = time.time() + PEER_SECONDS_MAX
        while not done():
            if time.time() > deadline:
                raise SystemExit(f"{self.name} did not {what} within {PEER_SECONDS_MAX} s")
            time.sleep(0.5)

    def get(self, path, **parameters):
        with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(parameters)}") as answer:
            return answer.read()

    def post(self, path, body):
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data=body, method="POST")) as answer:
            return answer.read()

    def wait_until_still(self):
        """Until nothing in the directory has changed size for a while."""
        seen = []

        def still():
            seen.append(bytes_of(self.directory))
            return len(seen) > 20 and len(set(seen[-20:])) == 1

        self.wait(still, "come to rest")

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(120)


class VictoriaMetrics(LineProtocolServer):
    name, program, package = "victoriametrics", "victoria-metrics", "victoria-metrics"

    def __init__(self, directory):
        super().__init__(directory)
        self.start([self.program, f"-storageDataPath={directory}/data", f"-httpListenAddr={self.url[7:]}",
                    "-retentionPeriod=100y", "-loggerLevel=ERROR", "-search.latencyOffset=0s"], {})

    def load(self, csv_path, tag_count):
        for body in line_protocol(csv_path, tag_count):
            self.post("/write?precision=ms", body)
        self.get("/internal/force_flush")

    def count(self, field, first_ms, last_ms):
        answer = json.loads(self.get("/api/v1/query", time=last_ms / 1000,
                                     query=f"sum(count_over_time(cpu_{field}[{last_ms - first_ms + 1}ms]))"))
        return sum(int(series["value"][1]) for series in answer["data"]["result"])  # none yet: 0

    def rest(self):
        self.get("/internal/force_merge")
        self.wait_until_still()

    def bytes(self):
        return bytes_of(f"{self.directory}/data")


class InfluxDb(LineProtocolServer):
    name, program, package = "influxdb", "influxd", "influxdb"

    def __init__(self, directory):
        super().__init__(directory)
        # Snapshots and full compactions as soon as nothing is written, not hours later.
        self.start([self.program], {
            "INFLUXDB_HTTP_BIND_ADDRESS": self.url[7:], "INFLUXDB_BIND_ADDRESS": f"127.0.0.1:{free_port()}",
            "INFLUXDB_META_DIR": f"{directory}/meta", "INFLUXDB_DATA_DIR": f"{directory}/data",
            "INFLUXDB_DATA_WAL_DIR": f"{directory}/wal", "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_HTTP_LOG_ENABLED": "false", "INFLUXDB_MONITOR_STORE_ENABLED": "false",
            "INFLUXDB_DATA_QUERY_LOG_ENABLED": "false",
            "INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "2s",
            "INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION": "4s"})

    def load(self, csv_path, tag_count):
        self.post("/query?q=CREATE+DATABASE+bench", b"")
        for body in line_protocol(csv_path, tag_count):
            self.post("/write?db=bench&precision=ms", body)

    def count(self, field, first_ms, last_ms):
        answer = json.loads(self.get("/query", db="bench", q=f'SELECT count("{field}") FROM cpu'))
        return sum(series["values"][0][1] for series in answer["results"][0].get("series", []))  # none yet: 0

    def rest(self):
        self.wait_until_still()

    def bytes(self):
        return bytes_of(f"{self.directory}/data")
