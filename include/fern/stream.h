/* SPDX-License-Identifier: MIT */
/*
 * Streams: buffered reading and writing over any fd.
 *
 *     fern_stream *s = fern_stream_open(fd);
 *     char line[1024];
 *     while (fern_stream_read_line(s, line, sizeof line, FERN_FOREVER) >= 0) {
 *         if (fern_stream_printf(s, FERN_FOREVER, "you said %s\n", line) < 0)
 *             break;
 *     }
 *     fern_stream_close(s, FERN_FOREVER);
 *
 * A call that fails takes no bytes out of the stream: after a time-out the next call finds all
 * that had come. Several greenlets may use one stream: each call is served whole, those of one
 * direction in order of arrival. A stream belongs to the thread that uses it first, until
 * that thread ends.
 *
 * Every call that may wait can also answer: -ETIME its deadline or scope passed; -ECANCELED the
 * greenlet was killed; -EAGAIN it would wait and the deadline is FERN_NOWAIT; -EBADF the stream
 * was closed; -EXDEV it belongs to another thread; -EDEADLK it was called from a callback;
 * -ENOMEM; and what fern_read() and fern_write() give.
 */
#ifndef FERN_STREAM_H
#define FERN_STREAM_H

#include <fern/base.h>
#include <fern/time.h>

FERN__BEGIN_DECLS

/** A buffered stream; its inside is fern's. */
typedef struct fern_stream fern_stream;

/**
 * Make a stream over an fd. Nothing is read or written by it.
 *
 * @param  fd  any open fd
 * @return the stream; NULL with errno EBADF fd < 0, or ENOMEM
 *
 * May switch: no.  Thread: any.  Owner: takes fd; the stream is the caller's.
 */
FERN_API fern_stream *fern_stream_open(int fd);

/**
 * Write out what is held back, close the fd and free the stream, whatever fails. Calls that wait
 * in it are answered -EBADF. The process's own three are written out only.
 *
 * @param  s         a stream; NULL does nothing
 * @param  deadline  absolute, for writing out
 * @return 0; what writing out gave, then bytes are lost; as fern_close(); -EXDEV, then nothing was done
 *
 * May switch: if bytes are held back.  Thread: the stream's.  Owner: takes s.
 */
FERN_API int fern_stream_close(fern_stream *s, fern_time deadline);

/**
 * The fd under a stream.
 *
 * @param  s  a stream
 * @return the fd; -EINVAL NULL
 *
 * May switch: no.  Thread: any.  Owner: the fd stays the stream's.
 */
FERN_API int fern_stream_fd(const fern_stream *s);

/**
 * The process's standard input.
 *
 * @return the stream, never NULL
 *
 * May switch: no.  Thread: any.  Owner: fern's.
 */
FERN_API fern_stream *fern_stdin(void);

/**
 * The process's standard output. It is not the stdio stream: what printf() holds back is not here.
 *
 * @return the stream, never NULL
 *
 * May switch: no.  Thread: any.  Owner: fern's.
 */
FERN_API fern_stream *fern_stdout(void);

/**
 * The process's standard error.
 *
 * @return the stream, never NULL
 *
 * May switch: no.  Thread: any.  Owner: fern's.
 */
FERN_API fern_stream *fern_stderr(void);

/* ---- reading ---- */

/**
 * Read what there is, waiting until there is something.
 *
 * @param  s         a stream
 * @param  ret_buf   receives the bytes; may be NULL if len is 0
 * @param  len       bytes at most
 * @param  deadline  absolute; FERN_NOWAIT to never wait
 * @return bytes read; 0 at the end; -EINVAL NULL; and those at the top of this file
 *
 * May switch: if nothing is buffered, or another is reading.  Thread: the stream's.  Owner: borrows ret_buf.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_stream_read(
        fern_stream *s, void *ret_buf, size_t len, fern_time deadline);

/**
 * Read a given number of bytes.
 *
 * @param  s         a stream
 * @param  ret_buf   receives len bytes, on success only; may be NULL if len is 0
 * @param  len       how many; the stream buffers as much as that
 * @param  deadline  absolute, of the whole; FERN_NOWAIT to never wait
 * @return 0; -ENODATA the stream ended before, and fern_stream_read() gives what there was;
 *         -EINVAL NULL; and those at the top of this file
 *
 * May switch: if too little is buffered, or another is reading.  Thread: the stream's.  Owner: borrows ret_buf.
 */
FERN_API FERN_MUST_CHECK int fern_stream_read_exactly(
        fern_stream *s, void *ret_buf, size_t len, fern_time deadline);

/**
 * Read up to and with a mark.
 *
 * @param  s         a stream
 * @param  mark      a text of at least one byte
 * @param  ret_buf   receives the bytes, on success only; no 0 byte is added
 * @param  size      of ret_buf: so far the mark is looked for
 * @param  deadline  absolute, of the whole; FERN_NOWAIT to never wait
 * @return bytes read, with the mark; -EMSGSIZE no mark within size bytes; -ENODATA the stream ended
 *         without it; -EINVAL NULL, or an empty mark; and those at the top of this file
 *
 * May switch: if no mark is buffered, or another is reading.  Thread: the stream's.  Owner: borrows mark and ret_buf.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_stream_read_until(
        fern_stream *s, const char *mark, void *ret_buf, size_t size, fern_time deadline);

/**
 * Read a line, which ends by "\n", "\r\n" or the end of the stream.
 *
 * @param  s         a stream
 * @param  ret_line  receives the line without its ending, and a 0 byte, on success only
 * @param  size      of ret_line
 * @param  deadline  absolute, of the whole; FERN_NOWAIT to never wait
 * @return its length; -ENODATA there are no more lines; -EMSGSIZE it is longer than size - 1, and
 *         stays to be read; -EINVAL NULL or size 0; and those at the top of this file
 *
 * May switch: if no line is buffered, or another is reading.  Thread: the stream's.  Owner: borrows ret_line.
 */
FERN_API FERN_MUST_CHECK ssize_t fern_stream_read_line(
        fern_stream *s, char *ret_line, size_t size, fern_time deadline);

/**
 * How many bytes have been read ahead.
 *
 * @param  s  a stream; NULL gives 0
 * @return bytes that the next read finds without waiting
 *
 * May switch: no.  Thread: the stream's.  Owner: none.
 */
FERN_API size_t fern_stream_buffered(const fern_stream *s);

/**
 * Whether reading has met the end and everything before it was taken.
 *
 * @param  s  a stream; NULL gives false
 * @return true at the end
 *
 * May switch: no.  Thread: the stream's.  Owner: none.
 */
FERN_API bool fern_stream_ended(const fern_stream *s);

/* ---- writing ---- */

/**
 * Write all bytes: at once, or into the buffer of a corked stream.
 *
 * @param  s         a stream
 * @param  buf       the bytes; may be NULL if len is 0
 * @param  len       how many
 * @param  ret_done  receives how many were taken (written, or held back), on success and on
 *                   error; may be NULL
 * @param  deadline  absolute, of the whole; FERN_NOWAIT to never wait
 * @return 0; -EPIPE nobody reads; -EINVAL NULL; and those at the top of this file
 *
 * May switch: if the fd has no room, or another is writing.  Thread: the stream's.  Owner: borrows buf.
 */
FERN_API FERN_MUST_CHECK int fern_stream_write(
        fern_stream *s, const void *buf, size_t len, size_t *ret_done, fern_time deadline);

/**
 * Write formatted text, as fern_stream_write().
 *
 * @param  s         a stream
 * @param  deadline  absolute, of the whole; FERN_NOWAIT to never wait
 * @param  format    as for printf
 * @param  ...       its arguments
 * @return 0; -EINVAL NULL or a wrong format; as fern_stream_write()
 *
 * May switch: as fern_stream_write().  Thread: the stream's.  Owner: borrows format and arguments.
 */
FERN_API FERN_MUST_CHECK int fern_stream_printf(
        fern_stream *s, fern_time deadline, const char *format, ...) FERN_PRINTF(3, 4);

/**
 * Write out what is held back.
 *
 * @param  s         a stream
 * @param  deadline  absolute, of the whole; FERN_NOWAIT to never wait
 * @return 0; what could not be written is still held back: -EPIPE nobody reads; -EINVAL NULL; and
 *         those at the top of this file
 *
 * May switch: if the fd has no room, or another is writing.  Thread: the stream's.  Owner: borrows s.
 */
FERN_API FERN_MUST_CHECK int fern_stream_flush(fern_stream *s, fern_time deadline);

/**
 * Hold writes back, up to 64 KiB, so that many become one system call.
 *
 * @param  s  a stream
 * @return 0; -EALREADY it is corked; -EBADF closed; -EXDEV it belongs to another thread; -EINVAL
 *         NULL; -ENOMEM; -EMFILE
 *
 * May switch: no.  Thread: the stream's.  Owner: borrows s.
 */
FERN_API int fern_stream_cork(fern_stream *s);

/**
 * Hold back no more, and write out what was.
 *
 * @param  s         a stream, corked or not
 * @param  deadline  absolute, for writing out
 * @return as fern_stream_flush()
 *
 * May switch: as fern_stream_flush().  Thread: the stream's.  Owner: borrows s.
 */
FERN_API FERN_MUST_CHECK int fern_stream_uncork(fern_stream *s, fern_time deadline);

/**
 * How many bytes are held back.
 *
 * @param  s  a stream; NULL gives 0
 * @return bytes that the next flush writes
 *
 * May switch: no.  Thread: the stream's.  Owner: none.
 */
FERN_API size_t fern_stream_held(const fern_stream *s);

FERN__END_DECLS

#endif
