extension GuestPrograms {
  /// Goroutines, garbage collection, timers, signals, children, a fault that is recovered from.
  static let go = #"""
    package main

    import (
      "fmt"
      "os"
      "os/exec"
      "os/signal"
      "runtime"
      "sync"
      "syscall"
      "time"
    )

    func main() {
      runtime.GOMAXPROCS(4)
      var group sync.WaitGroup
      var mutex sync.Mutex
      sum := 0
      for i := 0; i < 200; i++ {
        group.Add(1)
        go func(i int) {
          defer group.Done()
          garbage := make([]byte, 1<<16)
          garbage[i] = 1
          time.Sleep(time.Millisecond)
          busy := 0
          for j := 0; j < 200000; j++ {
            busy += j & i
          }
          mutex.Lock()
          sum += i + busy&0
          mutex.Unlock()
        }(i)
      }
      group.Wait()
      runtime.GC()
      fmt.Println("sum", sum)
      // Threads that end with their goroutines, and let others have the stacks they run on.
      for i := 0; i < 20; i++ {
        group.Add(1)
        go func() {
          defer group.Done()
          runtime.LockOSThread()
          time.Sleep(time.Millisecond)
        }()
      }
      group.Wait()
      time.Sleep(20 * time.Millisecond)
      output, err := exec.Command("echo", "hello").CombinedOutput()
      fmt.Print(string(output), err, "\n")
      fmt.Println(exec.Command("sh", "-c", "exit 3").Run())
      signals := make(chan os.Signal, 10)
      signal.Notify(signals, syscall.SIGUSR1)
      for i := 0; i < 5; i++ {
        syscall.Kill(os.Getpid(), syscall.SIGUSR1)
        fmt.Println(<-signals)
      }
      func() {
        defer func() { fmt.Println("recovered", recover() != nil) }()
        var nowhere *int
        *nowhere = 1
      }()
      ticker := time.NewTicker(time.Millisecond)
      for i := 0; i < 10; i++ {
        <-ticker.C
      }
      ticker.Stop()
      os.Exit(5)
    }
    """#

  /// C threads made from goroutines.
  static let cgo = #"""
    package main

    /*
    #include <pthread.h>
    #include <unistd.h>
    static void *body(void *unused) { (void)unused; return (void *)(long)getppid(); }
    static int run(void) {
      pthread_t threads[8];
      int right = 0;
      for (int i = 0; i < 8; i++) pthread_create(&threads[i], 0, body, 0);
      for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        right += (long)result == getppid();
      }
      return right;
    }
    */
    import "C"
    import (
      "fmt"
      "os/exec"
      "sync"
    )

    func main() {
      var group sync.WaitGroup
      var mutex sync.Mutex
      right := 0
      for i := 0; i < 16; i++ {
        group.Add(1)
        go func() {
          defer group.Done()
          result := int(C.run())
          mutex.Lock()
          right += result
          mutex.Unlock()
        }()
      }
      group.Wait()
      fmt.Println(right)
      output, err := exec.Command("uname").Output()
      fmt.Println(string(output), err)
    }
    """#

  /// Pipes, traps and background jobs.
  static let shellScript = #"""
    echo start; seq 1 100 | grep 7 | wc -l
    trap 'echo usr1' USR1; kill -USR1 $$
    (sleep 0.05; echo in the background) & wait; (sleep 0.05; exit 3) & wait $!; echo $?
    for i in 1 2 3 4 5; do echo $i; done | while read x; do echo "got $x"; done
    x=$(ls /etc | sort | head -3); echo "$x"
    trap 'echo bye' EXIT
    ulimit -n; sh -c 'kill -TERM $$'; echo $?
    set -m; sleep 0.5 & jobs | wc -l; wait
    exit 9
    """#

  /// Threads, children, signals, masks.
  static let python = #"""
    import faulthandler, multiprocessing, os, signal, subprocess, sys, threading, time

    faulthandler.enable()
    done = []

    def work(i):
        for _ in range(50):
            os.getppid()
        done.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(done))
    print(subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 4"], capture_output=True))
    cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print(len(cat.communicate(b"x" * 100000)[0]))
    got = []
    signal.signal(signal.SIGALRM, lambda number, frame: got.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    while len(got) < 5:
        time.sleep(0.05)
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(got[:5])
    print(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGSYS, signal.SIGUSR1}))
    print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
    child = os.fork()
    if child == 0:
        os._exit(11)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    with multiprocessing.Pool(3) as pool:
        print(pool.map(abs, [-1, -2, -3]))
    sys.exit(6)
    """#

  /// A repository from its first commit to a clone.
  static let git = #"""
    rm -rf repository copy
    export GIT_AUTHOR_DATE=2020-01-01T00:00:00 GIT_COMMITTER_DATE=2020-01-01T00:00:00 GIT_CONFIG_GLOBAL=/dev/null HOME=$PWD
    git init -q -b main repository; cd repository
    git config user.email a@example.org; git config user.name A
    for i in 1 2 3; do echo $i > f$i; git add .; git commit -qm "commit $i"; done
    git log --oneline; git checkout -q -b other HEAD~1; git merge -q main; git status; git gc -q; git fsck
    git diff HEAD~2 | cat; cd ..; git clone -q repository copy; ls copy; rm -rf repository copy
    """#

  /// A program compiled and run, and 60 rules made at once.
  static let build = #"""
    printf '#include <stdio.h>\nint main(void) { puts("built"); return 3; }\n' > hello.c
    gcc -O2 -pipe hello.c -o hello && ./hello; echo $?
    printf 'all: %s\n' "$(seq -f 'x%g' -s ' ' 60)" > Makefile
    for i in $(seq 60); do printf 'x%s:\n\t@true\n' $i; done >> Makefile
    make -j8 -s && echo made
    rm -f hello hello.c Makefile
    """#
}
