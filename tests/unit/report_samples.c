#include <stdio.h>

#include "reply_decode.h"
#include "report_record.h"

/* Writes one JSON report a file into the folder that is named by the argument. */
static int write_sample(const char *dir, const char *name, const struct report_run *run)
{
    char path[512];
    struct buf out;
    buf_init(&out, REPORT_MAX);
    must(report_run_build(run, REPORT_JSON, false, &out) == ST_OK);
    snprintf(path, sizeof(path), "%s/%s.json", dir, name);
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && fwrite(out.p, 1, out.len, f) == out.len;
    ok = f != NULL && fclose(f) == 0 && ok;
    buf_free(&out);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: report_samples FOLDER\n");
        return 64;
    }
    struct report_run run;
    int failed = 0;
    report_run_init(&run, NULL);
    failed |= write_sample(argv[1], "empty", &run);
    report_run_free(&run);

    report_run_init(&run, "mx1.example.com");
    failed |= write_sample(argv[1], "plain", &run);
    run.record.demo = true;
    run.record.paths[1]->preference = -1;
    run.record.paths[1]->address.family = 0;
    free(run.record.paths[1]->tls);
    run.record.paths[1]->tls = NULL;
    failed |= write_sample(argv[1], "demo", &run);
    report_run_free(&run);

    report_run_init(&run, HOSTILE);
    run.record.findings_dropped = 3;
    failed |= write_sample(argv[1], "hostile", &run);
    for (size_t i = 0; i < finding_kind_count; i++) {
        struct finding *f = add_finding(&run.record, CHECK_SEND, finding_kinds[i].id);
        const struct reply_verdict v = {.cause = &reply_causes[i % reply_cause_count],
                                        .basis = i % 2 == 0 ? BASIS_WORDS : BASIS_CODE};
        finding_explain(f, &v, true);
    }
    failed |= write_sample(argv[1], "all_findings", &run);
    report_run_free(&run);
    return failed;
}
