import Glibc
import Testing

/// What people have installed: interpreters, compilers of their own code, servers, and what works on terminals.
extension RealProgramTests {
  @Test func perl() async throws {
    guard has("perl") else { return }
    let folder = try TemporaryFolder()
    let script = try folder.write(Array(GuestPrograms.perl.utf8), to: "script.pl")
    try await expectSame("perl \(script)", in: folder.path)
  }

  @Test func tarAndCompression() async throws {
    guard has("tar"), has("gzip") else { return }
    let folder = try TemporaryFolder()
    try await expectSame(
      """
      mkdir d; for i in 1 2 3 4 5; do seq $i 1000 > d/$i; done; ln -s 1 d/link; truncate -s 1M d/hole; ln d/2 d/hard
      tar --sort=name --mtime=@0 --owner=0 --group=0 -Sczf a.tgz d; tar tvzf a.tgz; sha256sum < a.tgz
      mkdir x; tar -C x -xzf a.tgz; diff -r d x/d && echo same; (cd d; tar cf - .) | (cd x; tar xf -); ls x
      rm -rf d x a.tgz
      """, in: folder.path)
  }

  @Test func sqlite() async throws {
    guard has("sqlite3") else { return }
    let folder = try TemporaryFolder()
    try await expectSame(
      """
      sqlite3 db 'create table t(a, b); with recursive c(x) as (select 1 union all select x+1 from c where x<2000) insert into t select x, x*x from c; select sum(b) from t;'
      for i in 1 2 3 4; do sqlite3 db ".timeout 500000" "begin immediate; update t set b=b+1 where a=$i; commit;" & done; wait
      sqlite3 db 'pragma journal_mode=wal; select sum(b) from t; pragma integrity_check;' '.dump' | sha256sum; rm -f db*
      """, in: folder.path)
  }

  /// A JIT with threads of its own, timers and children.
  @Test func node() async throws {
    guard has("node") else { return }
    let folder = try TemporaryFolder()
    let script = try folder.write(Array(GuestPrograms.node.utf8), to: "script.js")
    try await expectSame("node \(script)", in: folder.path)
  }

  /// A JIT whose threads stop each other by faults, on small alternate stacks.
  @Test func java() async throws {
    guard has("java"), has("javac") else { return }
    let folder = try TemporaryFolder()
    _ = try folder.write(Array(GuestPrograms.java.utf8), to: "Program.java")
    let built = try await CordonBinary.shell("javac Program.java 2>&1", in: folder.path)
    #expect(built.status == 0, "\(built.output)")
    try await expectSame("exec java Program", in: folder.path)
  }

  @Test func rust() async throws {
    let places = ["/root/.cargo/bin/rustc", "/usr/bin/rustc"]
    guard let compiler = places.first(where: { access($0, X_OK) == 0 }) else {
      print("not tested here, since rustc is not installed")
      return
    }
    let folder = try TemporaryFolder()
    let source = try folder.write(Array(GuestPrograms.rust.utf8), to: "program.rs")
    let built = try await CordonBinary.shell("\(compiler) -O -o program \(source) 2>&1", in: folder.path)
    #expect(built.status == 0, "\(built.output)")
    try await expectSame("exec ./program", in: folder.path)
  }

  @Test func aServerAndItsClients() async throws {
    guard has("python3"), has("curl"), has("openssl") else { return }
    let folder = try TemporaryFolder()
    let server = try folder.write(Array(GuestPrograms.server.utf8), to: "server.py")
    try await expectSame(
      """
      python3 \(server) & while ! [ -s port ]; do sleep 0.02; done; at=http://127.0.0.1:$(cat port)
      for i in 1 2 3 4; do curl -s $at/$i | sha256sum; done; curl -sZ -o a $at/1 -o b $at/2 -o c $at/3 2> /dev/null; cat a b c | wc -c
      curl -s http://127.0.0.1:1/; echo $?; kill $!; wait $!; echo $?
      openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -subj /CN=localhost -days 1 2> /dev/null
      : > log; openssl s_server -accept 0 -key k -cert c -www > log 2>&1 & while ! grep -q ACCEPT log; do sleep 0.05; done
      curl -sk https://127.0.0.1:$(sed -n 's/ACCEPT.*:\\([0-9]*\\)$/\\1/p' log)/ | grep -c -i '<html>'; kill $!; wait $!; echo $?
      rm -f port a b c k log
      """, comparingMessages: false, in: folder.path)
  }

  /// A terminal inside of it, whose programs are in a session of their own.
  @Test func aTerminalOfItsOwn() async throws {
    guard has("script"), has("python3") else { return }
    let folder = try TemporaryFolder()
    try await expectSame(
      """
      script -qec 'stty -a | head -1; tty | cut -c1-8; python3 -c "import os; print(os.isatty(0), os.getpgrp() == os.tcgetpgrp(0))"; exit 3' /dev/null
      echo $?
      """, in: folder.path)
  }

  /// A helper of it is set-group-id: that it loses its privilege is said. The shell is named, since some users have none.
  @Test func aTerminalMultiplexer() async throws {
    guard has("tmux") else { return }
    let folder = try TemporaryFolder()
    try await expectSame(
      """
      exec 2> /dev/null; t="tmux -S $PWD/s -f /dev/null"; export SHELL=/bin/sh
      shows() { for attempt in $(seq 10000); do $t capture-pane -p | grep -q "$1" && return; sleep 0.05; done; echo "no $1"; }
      $t new-session -d -x 60 -y 20 'sh -c "echo hello; read x; echo got \\$x; sleep 1000"'
      shows hello; $t send-keys word Enter; shows 'got word'
      $t capture-pane -p | head -4; $t kill-server; echo $?; rm -f s
      """, comparingMessages: false, in: folder.path)
  }

  @Test func bash() async throws {
    guard has("bash") else { return }
    let folder = try TemporaryFolder()
    let script = try folder.write(Array(GuestPrograms.bash.utf8), to: "script")
    // It names processes by their numbers.
    try await expectSame("bash \(script)", comparingMessages: false, in: folder.path)
  }
}
