/* What a function is given: arguments, environment and standard input; what it gives: output and an exit code. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    const char *who = getenv("GREETING_TO");
    char line[256];
    for (int i = 1; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
    printf("environment: %s\n", who != NULL ? who : "nobody");
    while (fgets(line, sizeof line, stdin) != NULL) printf("input: %s", line);
    if (who == NULL) {
        fprintf(stderr, "GREETING_TO is not set\n");
        return 3;
    }
    return 0;
}
