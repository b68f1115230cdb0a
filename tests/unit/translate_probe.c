#include <locale.h>
#include <stdio.h>

#include "report_record.h"
#include "text.h"

static void count_entry(void *ctx, const char *name)
{
    (void)name;
    (*(size_t *)ctx)++;
}

/* Prints a report in the language "qps", read from the folders that are named by the arguments. */
int main(int argc, char **argv)
{
    struct report_run run;
    struct error error = {0};
    struct buf out;
    if (argc != 3 || setlocale(LC_ALL, "") == NULL ||
        bindtextdomain(TEXT_DOMAIN, argv[1]) == NULL ||
        bind_textdomain_codeset(TEXT_DOMAIN, "UTF-8") == NULL) {
        fprintf(stderr, "usage: translate_probe LOCALES DATA\n");
        return 64;
    }
    report_run_init(&run, "mx1.example.com");
    struct guide *guide = NULL;
    if (guide_load(&guide, argv[2], "qps", &error) != ST_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    size_t english = 0;
    size_t own = 0;
    guide_each(run.guide, count_entry, &english);
    guide_each(guide, count_entry, &own);
    printf("entries %zu %zu\n", english, own);

    struct report_options o = {REPORT_TEXT, false, &run.plan, guide, run.guide, NULL};
    buf_init(&out, REPORT_MAX);
    enum status st = report_build(&run.record, &o, &out);
    fwrite(out.p, 1, out.len, stdout);
    buf_clear(&out);
    o.format = REPORT_JSON;
    st = st == ST_OK ? report_build(&run.record, &o, &out) : st;
    fwrite(out.p, 1, out.len, stdout);
    buf_free(&out);
    guide_free(guide);
    report_run_free(&run);
    return st == ST_OK ? 0 : 1;
}
