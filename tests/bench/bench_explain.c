/* How long it takes to find and decode a reply: prints microseconds a line. bench_explain REPLIES
 * (tests/unit/replies_known.txt). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounce_line.h"
#include "clock.h"

#define LINES 10000
#define KINDS_MAX 1000

static char *lines[KINDS_MAX];

/* The replies of the table, without its columns. */
static size_t read_lines(const char *path)
{
    char text[4096];
    size_t count = 0;
    FILE *in = fopen(path, "r");
    while (in != NULL && count < KINDS_MAX && fgets(text, sizeof(text), in) != NULL) {
        char *p = text;
        for (int i = 0; i < 3 && p != NULL; i++) {
            p = strchr(p, ' ');
            p = p != NULL ? p + 1 : NULL;
        }
        if (text[0] != '#' && p != NULL) {
            lines[count++] = str_dup(p);
        }
    }
    if (in != NULL) {
        fclose(in);
    }
    return count;
}

int main(int argc, char **argv)
{
    static struct bounce_line line;
    size_t kinds = argc == 2 ? read_lines(argv[1]) : 0;
    unsigned decoded = 0;
    if (kinds == 0) {
        fprintf(stderr, "usage: bench_explain REPLIES\n");
        return 64;
    }
    int64_t start = clock_monotonic_us();
    for (size_t i = 0; i < LINES; i++) {
        bounce_line_read(span_of(lines[i % kinds]), &line);
        decoded += bounce_line_decode(&line).cause != NULL ? 1 : 0;
    }
    int64_t took = clock_monotonic_us() - start;
    printf("reply decoder: %d lines in %.0f ms, %.1f us a line, %u decoded\n", LINES,
           (double)took / 1000.0, (double)took / LINES, decoded);
    for (size_t i = 0; i < kinds; i++) {
        free(lines[i]);
    }
    return 0;
}
