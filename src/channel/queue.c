#include "channel/queue.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_KEPT = 64 << 10 /* an empty queue holds on to so much */ };

char *queue_room(struct queue *queue, size_t n)
{
	size_t waiting = queue_n(queue), room = queue->room ? queue->room : 4096;

	if (n <= queue->room - queue->end)
		return queue->bytes + queue->end;
	if (queue->at > 0) {
		memmove(queue->bytes, queue_front(queue), waiting);
		queue->at = 0;
		queue->end = waiting;
	}
	if (n <= queue->room - queue->end)
		return queue->bytes + queue->end;
	while (room < waiting + n && room < SIZE_MAX / 2)
		room *= 2;

	char *bytes = realloc(queue->bytes, room);

	if (!bytes)
		return NULL;
	queue->bytes = bytes;
	queue->room = room;
	return bytes + queue->end;
}

void queue_grow(struct queue *queue, size_t n)
{
	queue->end += n;
}

int queue_add(struct queue *queue, const void *bytes, size_t n)
{
	char *room = n ? queue_room(queue, n) : NULL;

	if (!room)
		return n ? -ENOMEM : 0;
	memcpy(room, bytes, n);
	queue_grow(queue, n);
	return 0;
}

void queue_drop(struct queue *queue, size_t n)
{
	queue->at += n;
	if (queue->at < queue->end)
		return;
	queue->at = queue->end = 0;
	if (queue->room > QUEUE_KEPT)
		queue_done(queue);
}

void queue_done(struct queue *queue)
{
	free(queue->bytes);
	*queue = (struct queue){ 0 };
}
