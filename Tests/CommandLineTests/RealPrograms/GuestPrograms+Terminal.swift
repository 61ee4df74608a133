extension GuestPrograms {
  /// An interactive bash on a terminal of its own, whose jobs are run by the command that is the first argument: what is
  /// shown when keys are pressed and jobs are stopped, continued and signalled.
  static let terminal = #"""
    import os, pty, re, select, sys, time

    os.environ.update(RUN=sys.argv[1], PS1="PROMPT> ", TERM="dumb")
    shell, terminal = pty.fork()
    if shell == 0:
        os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
    seen = b""

    def until(pattern):
        global seen
        end = time.time() + 500
        while not (match := re.search(pattern, seen)):
            if time.time() > end:
                print("nothing like", pattern, "in", seen)
                os.kill(shell, 9)
                sys.exit(1)
            if select.select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 65536)
        text, seen = seen[:match.end()].decode(), seen[match.end():]
        # Numbers of processes, and the new line after a job that a signal has ended, which cordon reports by its status.
        print(re.sub(r"\d{3,}", "NUMBER", text.replace("\r", "").strip("\n")))

    def type(text):
        os.write(terminal, text.encode())

    def line(text):
        type(text + "\n")
        until(rb"PROMPT> $")

    def start(command):
        type("$RUN " + command + "\n")
        until(rb"ready\r\n")

    def wait(condition):
        end = time.time() + 500
        while not condition():
            if time.time() > end:
                sys.exit("nothing comes of it")
            time.sleep(0.02)

    def is_stopped(process):
        try:
            with open(f"/proc/{process}/stat") as file:
                state, _, group = file.read().rsplit(")", 1)[1].split()[:3]
            return state == "T" and int(group) == os.tcgetpgrp(terminal)
        except OSError:
            return False

    def runs_in_foreground():
        return os.tcgetpgrp(terminal) != shell and not any(map(is_stopped, filter(str.isdigit, os.listdir("/proc"))))

    until(rb"PROMPT> $")
    line("stty -echo")
    start("sh -c 'echo ready; exec sleep 100'")
    type("\x03")
    until(rb"PROMPT> $")
    line("echo $?")
    start("sh -c 'trap \"echo interrupted; exit 7\" INT; echo ready; while :; do sleep 0.05; done'")
    type("\x03")
    until(rb"PROMPT> $")
    line("echo $?")
    start("sh -c 'trap \"echo quit; exit 8\" QUIT; echo ready; cat; echo end; exit 9'")
    type("\x04")
    until(rb"PROMPT> $")
    start("sh -c 'echo ready; read word; echo got $word; exit 4'")
    for times in range(2):
        type("\x1a")
        until(rb"PROMPT> $")
        line("jobs")
        type("fg\n")
        wait(runs_in_foreground)
    type("something\n")
    until(rb"PROMPT> $")
    line("echo $?")
    line("rm -f go count; mkfifo go; : > count")
    start("sh -c 'echo ready; read go < go; exit 3' | cat")
    type("\x1a")
    until(rb"PROMPT> $")
    line("bg > /dev/null; echo > go; wait %1; echo ${PIPESTATUS[0]}")
    # It leaves a byte for each signal that it has got, and one before the first.
    line("came() { while [ $(wc -c < count) -lt $1 ]; do sleep 0.02; done; }")
    line("stopped() { until grep -q '^State:.T' /proc/$1/status; do sleep 0.02; done; }")
    line("$RUN perl -e 'sub note { open F, q(>>count); syswrite F, q(x); close F } $SIG{$_} = sub { $n{$_[0]}++; note } for qw(USR1 HUP CONT); $SIG{TERM} = sub { print join(q( ), map {qq($_ $n{$_})} sort keys %n), qq(\\n); exit 5 }; note; select(undef, undef, undef, 1) while 1' & came 1")
    line("for i in 2 4 6; do kill -USR1 %1; came $i; kill -HUP %1; came $((i + 1)); done; kill -STOP %1; stopped $!; kill -CONT %1; came 8; kill -TERM %1; wait %1; echo $?")
    line("$RUN cat & until jobs | grep -q Stopped; do sleep 0.1; done; kill -9 %1; while kill -0 $! 2> /dev/null; do sleep 0.02; done")
    type("exit\n")
    until(rb"exit")
    """#
}
