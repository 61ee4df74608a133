extension GuestPrograms {
  /// Alarms, children, pipes, sockets, signals that interrupt calls.
  static let perl = #"""
    use strict; use warnings; use POSIX qw(:sys_wait_h :signal_h); use Socket;
    $| = 1;
    local $SIG{ALRM} = sub { die "alarm\n" };
    eval { alarm 1; select(undef, undef, undef, 10); }; print "caught $@";
    print qx(echo from a child); system("exit 3"); print $? >> 8, "\n";
    socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
    my $child = fork; if (!$child) { syswrite $b, "x" x 100000; exit 7 } close $b;
    my $total = 0; while (my $n = sysread $a, my $buffer, 4096) { $total += $n } waitpid $child, 0; print "$total ", $? >> 8, "\n";
    my @got; $SIG{$_} = sub { push @got, $_[0] } for qw(USR1 USR2 HUP SYS);
    kill $_, $$ for qw(USR1 USR2 HUP SYS); print "@got\n";
    my $mask = POSIX::SigSet->new(SIGUSR1, SIGSYS); my $old = POSIX::SigSet->new; sigprocmask(SIG_BLOCK, $mask, $old);
    kill USR1 => $$; print scalar(@got), "\n"; sigprocmask(SIG_SETMASK, $old); print scalar(@got), "\n";
    open my $pipe, "-|", "sh", "-c", "seq 1000; exit 5" or die; my @lines = <$pipe>; close $pipe; print scalar(@lines), " ", $? >> 8, "\n";
    exec "sh", "-c", "echo \$0 \$1; exit 9", "replaced", "one";
    """#

  static let node = #"""
    const { Worker, isMainThread, parentPort, workerData } = require("worker_threads"), child = require("child_process");
    if (!isMainThread) {
      let sum = 0;
      for (let i = 0; i < 2e6; i++) sum += i % (workerData + 2);
      parentPort.postMessage(sum);
    } else {
      console.log(child.execSync("echo from a child").toString(), child.spawnSync("sh", ["-c", "exit 3"]).status);
      const workers = [0, 1, 2, 3].map(data => new Promise(done => new Worker(__filename, { workerData: data }).on("message", done)));
      process.on("SIGUSR2", () => console.log("usr2"));
      process.kill(process.pid, "SIGUSR2");
      Promise.all(workers).then(sums => {
        console.log(sums);
        require("fs").readdir("/proc/self/task", (error, tasks) => {
          console.log(error, tasks.length > 1);
          const cat = child.spawn("cat");
          let length = 0;
          cat.stdout.on("data", data => length += data.length).on("end", () => { console.log(length); setTimeout(() => process.exit(6), 20) });
          cat.stdin.end("x".repeat(300000));
        });
      });
    }
    """#

  static let java = #"""
    import java.util.*;
    import java.util.concurrent.*;

    public class Program {
      static int depth;
      static void dive() { depth++; dive(); }
      public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Long>> results = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
          int k = i;
          results.add(pool.submit(() -> { long sum = 0; for (int j = 0; j < 200000; j++) sum += j % (k + 1); return sum; }));
        }
        long sum = 0;
        for (Future<Long> result : results) sum += result.get();
        System.out.println(sum);
        pool.shutdown();
        Process echo = new ProcessBuilder("sh", "-c", "echo hello; exit 3").start();
        System.out.println(new String(echo.getInputStream().readAllBytes()) + echo.waitFor());
        try { Object none = null; none.toString(); } catch (NullPointerException e) { System.out.println("nothing there"); }
        try { dive(); } catch (StackOverflowError e) { System.out.println(depth > 100); }
        byte[][] garbage = new byte[64][];
        for (int i = 0; i < 2000; i++) garbage[i % 64] = new byte[100000];
        System.gc();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("end")));
        System.exit(4);
      }
    }
    """#

  static let rust = #"""
    use std::{process::Command, sync::mpsc, thread, time::Duration};

    fn main() {
        let (sender, receiver) = mpsc::channel();
        let threads: Vec<_> = (0..16)
            .map(|i| {
                let sender = sender.clone();
                thread::spawn(move || { thread::sleep(Duration::from_millis(2)); sender.send(i * i).unwrap(); i })
            })
            .collect();
        println!("{}", threads.into_iter().map(|t| t.join().unwrap()).sum::<i32>());
        println!("{}", receiver.try_iter().sum::<i32>());
        println!("{:?}", Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]).output());
        println!("{:?}", Command::new("/does/not/exist").status());
        println!("{}", std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(1))).is_err());
        std::process::exit(6)
    }
    """#

  /// Answers each request in a thread, and tells its port by a file.
  static let server = #"""
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"path {self.path}\n".encode() * 5000
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open("port", "w") as file:
        file.write(str(server.server_port))
    server.serve_forever()
    """#

  /// Coprocesses, process substitution, traps, limits, a here document, exec of descriptors.
  static let bash = #"""
    set -m; sleep 5 & jobs -r | wc -l; fg %1 > /dev/null
    coproc cat; echo hi >&${COPROC[1]}; read x <&${COPROC[0]}; echo $x; exec {COPROC[1]}>&-; wait
    mapfile -t lines < <(seq 5); echo ${#lines[@]}; diff <(seq 3) <(seq 4) | wc -l
    trap 'echo debugged >&2' ERR; false; trap - ERR
    (ulimit -n 20; ulimit -n; ulimit -c 0; kill -ABRT $BASHPID); echo $?
    cat << END | tr a-z A-Z
    here $((6 * 7))
    END
    exec 7< <(echo seven); read y <&7; echo $y; exec 7<&-
    time -p true 2> /dev/null; trap 'echo got TERM' TERM; kill -TERM $$; (trap - TERM; kill -TERM $BASHPID); echo $?
    for i in 1 2 3; do (exit $i) & pids[$i]=$!; done; for i in 3 2 1; do wait ${pids[$i]}; echo $?; done
    timeout 0.2 sleep 5; echo $?; timeout -s KILL 0.2 sleep 5; echo $?
    exit 12
    """#
}
