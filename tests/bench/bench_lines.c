/* Memory and search time of a transcript of a million lines. Prints; judges nothing. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "lines.h"

int main(void)
{
    struct lines *lines = NULL;
    char text[128];
    if (lines_new(&lines) != ST_OK) {
        return 1;
    }
    int64_t start = clock_monotonic_us();
    for (uint32_t i = 1; i <= 1000000; i++) {
        int n = snprintf(text, sizeof(text), "250-line %u of a transcript that is long, as they are", (unsigned)i);
        struct line line = {.number = i, .t_us = i, .path = 1, .dir = DIR_SERVER, .text = text, .len = (size_t)n};
        if (lines_add(lines, &line) != ST_OK) {
            return 1;
        }
    }
    int64_t added = clock_monotonic_us();
    uint32_t hit = lines_search(lines, 1, false, "no such text anywhere");
    int64_t searched = clock_monotonic_us();
    printf("a transcript of 1,000,000 lines\n");
    printf("  memory %.1f MiB, %llu lines dropped, adding %.0f ns a line, searching all %.1f ms (hit %u)\n",
           (double)lines_memory(lines) / 1048576.0, (unsigned long long)lines_dropped(lines),
           (double)(added - start) / 1000.0, (double)(searched - added) / 1000.0, (unsigned)hit);
    lines_free(lines);
    return 0;
}
