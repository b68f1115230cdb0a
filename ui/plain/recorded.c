#include "recorded.h"

#include <string.h>
#include <unistd.h>

#include "exit_code.h"
#include "out.h"
#include "practice.h"
#include "report_scenario.h"
#include "savefile.h"
#include "text.h"

#define SAVED_NAME_MAX 8192

static int fail(const struct recorded_options *options, const struct error *error, int code)
{
    complain(options->ascii, "%s", error->text);
    return code;
}

/* Where the practice network cannot read what we wrote, nobody else could. */
static enum status check_scenario(const struct buf *text, struct error *error)
{
    struct network *net = NULL;
    const struct practice_options options = {.pace = PRACTICE_INSTANT};
    enum status st =
        practice_open_text("scenario", buf_str(text), text->len, &options, &net, NULL, error);
    net_network_close(net);
    return st;
}

static int save_scenario(const struct recorded_options *options, const struct buf *text)
{
    struct error error = {.text = ""};
    struct buf name;
    int code = EXIT_CODE_OK;
    buf_init(&name, SAVED_NAME_MAX);
    enum status st = savefile_write(options->save, buf_str(text), text->len, 0, &name, &error);
    if (st != ST_OK) {
        code = fail(options, &error, (int)exit_code_of_file(st));
    } else if (!options->quiet) {
        complain(options->ascii, _("The scenario is in %s."), buf_str(&name));
    }
    buf_free(&name);
    return code;
}

static int print_scenario(const struct recorded_options *options, const struct buf *text)
{
    struct out out;
    int code = EXIT_CODE_OK;
    out_init(&out, STDOUT_FILENO, false);
    out_raw(&out, buf_str(text), text->len);
    if (!out_flush(&out) && !out.closed) {
        complain(options->ascii, _("Writing failed: %s."), strerror(out.sys));
        code = EXIT_CODE_IO;
    }
    out_free(&out);
    return code;
}

int recorded_make(const struct recorded_options *options)
{
    struct error error = {.text = ""};
    struct run_file run;
    struct buf text;
    enum status st = run_file_open(&run, options->report, &error);
    if (st != ST_OK) {
        return fail(options, &error, (int)exit_code_of_input(st));
    }
    buf_init(&text, REPORT_SCENARIO_MAX);
    st = report_scenario(&run, &text, &error);
    run_file_free(&run);
    int code = EXIT_CODE_OK;
    if (st != ST_OK) {
        code = fail(options, &error, (int)exit_code_of_input(st));
    } else if (check_scenario(&text, &error) != ST_OK) {
        code = fail(options, &error, EXIT_CODE_INTERNAL);
    } else {
        code = options->save != NULL ? save_scenario(options, &text) : print_scenario(options, &text);
    }
    buf_free(&text);
    return code;
}
