/* queue.h: bytes that wait: in at the end, out at the front. Heap memory, which queue_done frees. */
#ifndef COFFER_CHANNEL_QUEUE_H
#define COFFER_CHANNEL_QUEUE_H

#include <stddef.h>

struct queue {
	char *bytes;
	size_t at, end, room; /* bytes[at..end) wait */
};

static inline size_t queue_n(const struct queue *queue)
{
	return queue->end - queue->at;
}

static inline const char *queue_front(const struct queue *queue)
{
	return queue->bytes + queue->at;
}

/* Room for n more at the end; NULL when there is no memory. queue_grow says how many were put there. */
char *queue_room(struct queue *queue, size_t n);
void queue_grow(struct queue *queue, size_t n);
/* 0 or -ENOMEM. */
int queue_add(struct queue *queue, const void *bytes, size_t n);
/* The first n are done with. */
void queue_drop(struct queue *queue, size_t n);
void queue_done(struct queue *queue);

#endif
