// wait: sleeps, polls, and tells whether each clock moved as it should.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long read_clock(clockid_t id) {
  struct timespec t;
  if (clock_gettime(id, &t) != 0) return -1;
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
  long long monotonic = read_clock(CLOCK_MONOTONIC), wall = read_clock(CLOCK_REALTIME);
  long long process = read_clock(CLOCK_PROCESS_CPUTIME_ID);
  volatile unsigned sum = 0;
  while (read_clock(CLOCK_PROCESS_CPUTIME_ID) - process < 2000000) sum += 1;
  usleep(20000);
  printf("monotonic %s\n", read_clock(CLOCK_MONOTONIC) - monotonic >= 20000000 ? "moved" : "stood");
  printf("wall %s\n", read_clock(CLOCK_REALTIME) - wall >= 20000000 ? "moved" : "stood");
  printf("processor %s\n", read_clock(CLOCK_THREAD_CPUTIME_ID) > 0 ? "moved" : "stood");
  struct timespec r;
  printf("resolution %d", clock_getres(CLOCK_PROCESS_CPUTIME_ID, &r));
  printf(" %ld\n", r.tv_nsec);
  struct pollfd fds[3] = {{0, POLLIN, 0}, {1, POLLOUT, 0}, {77, POLLIN, 0}};
  int n = poll(fds, 3, 1000);
  printf("poll %d in %d out %d invalid %d\n", n, (fds[0].revents & POLLIN) != 0,
         (fds[1].revents & POLLOUT) != 0, (fds[2].revents & POLLNVAL) != 0);
  return 0;
}
