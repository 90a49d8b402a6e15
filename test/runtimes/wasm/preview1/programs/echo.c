// echo: arguments, environment, standard input, clocks and an exit code, through stdio alone.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
  for (int i = 0; i < argc; i++) printf("arg %zu %.20s\n", strlen(argv[i]), argv[i]);
  for (char **e = environ; *e != NULL; e++) printf("env %zu %.20s\n", strlen(*e), *e);
  char line[100];
  while (fgets(line, sizeof line, stdin) != NULL) printf("line %s", line);
  printf("terminal %d %d %d\n", isatty(0), isatty(1), isatty(2));
  fprintf(stderr, "to standard error\n");
  printf("not flushed before the exit");
  return argc > 1 ? atoi(argv[1]) : 0;
}
