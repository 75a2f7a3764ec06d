#include "guest.h"

#include "err.h"
#include "life.h"

void chief__guest_launch(chief_worker *w, void (*on_word)(chief_worker *w)) { w->guest.on_word = on_word; }

void chief__guest_arrive(chief_worker *w) {
    w->guest.visits = chief__inbox_visit(w->inbox);
    w->part = PART_INIT;
    chief__worker_begin_init(w);
}

static void end_init(chief_worker *w) {
    if (w->part != PART_INIT) return;
    (void)chief__worker_end_init(w, 0);
    w->part = PART_HELD;
    chief__inbox_report(w->inbox, &w->report, REPORT_INITIALIZED);
}

static chief__word wait_for_word(chief_worker *w, int64_t deadline) {
    chief__lock(&w->lock);
    while (w->word == WORD_NONE && chief__cond_wait(&w->told, &w->lock, deadline)) continue;
    chief__word what = w->word;
    chief__unlock(&w->lock);
    return what;
}

int chief__guest_enter(chief_worker *w, int64_t deadline) {
    if (w->part == PART_RUN) return CHIEF_EBUSY;
    end_init(w);
    chief__word what = wait_for_word(w, deadline);
    if (what != WORD_RUN) return what == WORD_NONE ? CHIEF_ETIMEDOUT : CHIEF_ECANCELED;
    w->part = PART_RUN;
    chief__inbox_report(w->inbox, &w->report, REPORT_ENTERED);
    return CHIEF_OK;
}

/* One that leaves before its time has failed, whatever code it gives. */
static int too_early(chief_worker *w, int code, const char *text) {
    if (w->error == NULL && code == 0) chief_worker_set_error(w, CHIEF_REASON_ERROR, text, NULL);
    return code != 0 ? code : 1;
}

static chief__report_bit end_part(chief_worker *w, int code) {
    if (w->part == PART_INIT) {
        (void)chief__worker_end_init(w, too_early(w, code, "it ended in its init"));
        return REPORT_INIT_FAILED;
    }
    if (w->part == PART_HELD && chief__worker_word(w) == WORD_FINISH) {
        chief__worker_fini(w, true);
        return REPORT_FINISHED;
    }
    if (w->part == PART_HELD) code = too_early(w, code, "it ended before its run");
    (void)chief__worker_end_run(w, code);
    return REPORT_EXITED;
}

void chief__guest_leave(chief_worker *w, int code) {
    chief__report_bit last = end_part(w, code);
    if (w->guest.visits) chief__inbox_leave();
    chief__inbox_report(w->inbox, &w->report, last);
    chief__worker_unref(w);
}

void chief__guest_miss(chief_worker *w) {
    chief__worker_begin_init(w);
    chief_worker_set_error(w, CHIEF_REASON_INIT_ERROR, "no thread of the host's has come for it", NULL);
    (void)chief__worker_end_init(w, CHIEF_ETIMEDOUT);
    chief__inbox_report(w->inbox, &w->report, REPORT_INIT_FAILED);
    chief__worker_unref(w);
}
