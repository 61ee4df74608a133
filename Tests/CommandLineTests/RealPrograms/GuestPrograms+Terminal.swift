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
        end = time.time() + 30
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

    def start(command, in_background=False):
        type("$RUN " + command + (" &" if in_background else "") + "\n")
        until(rb"ready\r\n")
        time.sleep(0.3)

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
        time.sleep(0.5)
    type("something\n")
    until(rb"PROMPT> $")
    line("echo $?")
    start("sh -c 'echo ready; sleep 1; exit 3' | cat")
    type("\x1a")
    until(rb"PROMPT> $")
    line("bg > /dev/null; wait %1; echo ${PIPESTATUS[0]}")
    start("perl -e '$SIG{$_} = sub { $n{$_[0]}++ } for qw(USR1 HUP CONT); $SIG{TERM} = sub { print join(q( ), map {qq($_ $n{$_})} sort keys %n), qq(\n); exit 5 }; $| = 1; print qq(ready\n); select(undef, undef, undef, 1) while 1'", True)
    line("for i in 1 2 3; do kill -USR1 %1; sleep 0.2; kill -HUP %1; sleep 0.2; done; kill -STOP %1; sleep 0.2; kill -CONT %1; sleep 0.2; kill -TERM %1; wait %1; echo $?")
    line("$RUN cat & until jobs | grep -q Stopped; do sleep 0.1; done; kill -9 %1; sleep 0.5")
    type("exit\n")
    until(rb"exit")
    """#
}
