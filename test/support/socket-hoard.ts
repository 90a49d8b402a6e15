/**
 * A Perl program whose argument is STREAM or DGRAM: it fills sockets that nobody reads, up to 256 MiB or 200 of them, and tells the bytes that the kernel took. What a
 * datagram socket drops is not told to its sender: there the queues are counted.
 */
export const hoardScript = `
use Socket qw(:all);
my ($kind) = @ARGV;
my $type = $kind eq "STREAM" ? SOCK_STREAM : SOCK_DGRAM;
my ($held, @kept) = (0);
socket(my $door, AF_INET, SOCK_STREAM, 0) or die; bind($door, sockaddr_in(0, INADDR_LOOPBACK)); listen($door, 8);
my $data = "x" x 60000;
for (1 .. 200) {
  last if $held > 1 << 28;
  socket(my $from, AF_INET, $type, 0) or last;
  my $to;
  if ($type == SOCK_STREAM) {
    connect($from, getsockname($door)) or last; accept($to, $door) or last;
  } else {
    socket($to, AF_INET, $type, 0) or last; setsockopt($to, SOL_SOCKET, SO_RCVBUF, 1 << 23);
    bind($to, sockaddr_in(0, INADDR_LOOPBACK)); connect($from, getsockname($to)) or last;
  }
  push @kept, $from, $to;
  for (1 .. 100) {
    my $sent = send($from, $data, MSG_DONTWAIT);
    last if !defined $sent;
    $held += $sent if $type == SOCK_STREAM;
  }
}
if ($type == SOCK_DGRAM) {
  for (my $i = 1; $i < @kept; $i += 2) { while (defined recv($kept[$i], my $got, 65536, MSG_DONTWAIT)) { $held += length $got } }
}
print "held $held\\n";
`;
