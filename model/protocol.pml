/*
 * protocol.pml: the validity protocol, rules 1 to 5 and 7, rows only.
 *
 * Processes: NW writers, one filler, one reader.  Every step is interleaved
 * with every other, so both snapshots may be arbitrarily old; readers change
 * nothing shared, so one of each suffices.  What relation r contains under a
 * snapshot is mods[r], committed and finished for it, plus the own changes.
 * At every hit the stored content must equal the reader's.
 *
 * A slot's fields are read and written as one step here (its lock);
 * lockfree.pml takes that apart.  BAD marks the variants that must fail.
 */
#ifndef NW
#define NW 3
#endif
#ifndef K
#define K 1
#endif
#ifndef COLLIDE
#define COLLIDE 0      /* 1: both relations hash to slot 0 */
#endif
#ifndef MSET
#define MSET 3         /* 1: writers touch R0 only; 3: any non-empty subset */
#endif
#ifndef LB
#define LB 0           /* 0 exact count; 1 lower bound read before S; 2 BAD: read after S; 3 unknown (0) */
#endif
#ifndef ANN
#define ANN 0          /* 0 before commit; 1 BAD after commit; 2 BAD version+1 only at settle, xid pushed before
                          3 version:=count at announce; 4 BAD version:=count at settle, xid pushed before;
                          5 BAD version+1 before commit but xid pushed only after */
#endif
#ifndef SSTORE
#define SSTORE 1       /* settled check at store */
#endif
#ifndef SHIT
#define SHIT 1         /* settled check at hit */
#endif
#ifndef VHIT
#define VHIT 1         /* version check at hit */
#endif
#ifndef SET
#define SET 0          /* 0 done or xid; 1 xid only; 2 done only; 3 BAD: xid<xmax counts as finished ; 4 BAD: done<>0 suffices;
                          5 BAD: xids cut to 2 bits, compared plainly */
#endif
#ifndef EV
#define EV 0           /* maxima: 0 evd<=cnt OR evx<xmin; 1 evd only; 2 evx only; 3 BAD ignored ; 4 both (AND) */
#endif
#ifndef EVT
#define EVT 1          /* who may leave: 0 done<>0; 1 done<>0 or not in ProcArray (then done:=count now);
                          2 BAD by evictor's own snapshot, own xid looks finished; 3 BAD anything;
                          4 BAD not in ProcArray, evicted_done left alone; 6 as 1, but only overflow raises the maxima */
#endif
#ifndef OVF
#define OVF 1          /* 0 sticky flag; 1 evicted_xid:=max, evicted_done:=INF, healed when evx < oldest running;
                          2 BAD flag, cleared by next successful push; 3 BAD flag cleared when the overflowed xact settles ;
                          4 flag dropped silently (no room: version+1 only) BAD */
#endif
#ifndef DEDUP
#define DEDUP 1
#endif
#ifndef SUBX
#define SUBX 0         /* 1: a writer may roll back a subtransaction (count++ without finishing) */
#endif
#ifndef PREP
#define PREP 1         /* 1: writers may finish without settle (2PC); 2: nobody ever settles (standby) */
#endif
#ifndef LATE
#define LATE 0         /* writer 0 modifies R1 after its announcement: 1 version bump after end; 2 announce+settle after end;
                          3 announce at once, before clog; 4 fence cell + announce+settle after end; 5 fence read after version */
#endif
#ifndef EARLY
#define EARLY 0        /* with LATE 4, writer 0 has no xid at PRE_COMMIT, where it sets its fence: 1 to the next xid, or an older one;
                          2 BAD: that is taken for its own */
#endif
#ifndef OWN
#define OWN 0          /* 1: filler and reader may be writers themselves, bypass on; 2 no bypass at hit; 3 no bypass at store */
#endif
#ifndef LOST
#define LOST 0         /* xact 1 prepared (or WAL-announced) before the restart, announcement lost: 1 rule 7; 2 BAD no rule; 3 BAD N read too early */
#endif
#ifndef SETIDX
#define SETIDX 0       /* 1 BAD: settle writes to the remembered index without looking at the xid */
#endif
#ifndef HELP
#define HELP 0         /* 1: whoever finds an entry finished for its S sets done:=count now; 2 BAD sets done:=completion(S) lower bound */
#endif
#ifndef HELPOWN
#define HELPOWN 0      /* 1 BAD: writer 0 helps with its own snapshot, in which its own xid never runs */
#endif
#ifndef START
#define START 0        /* xids start after this one */
#endif
#ifndef OLDEST
#define OLDEST 1       /* overflow heals when evicted_xid < oldest running xid, 1 read before the lock is taken; 0 under it;
                          2 BAD: when evicted_xid itself has ended */
#endif
#ifndef REACH
#define REACH 0        /* 1: is a hit reachable; 2: a hit after an eviction; 3: after overflow; 4: hit while someone unfinished announced */
#endif
#if SETIDX
#define MYI myi = u
#else
#define MYI skip
#endif
#define INF 255
#define BIT(z) (1<<(z))
#define SL(r) (COLLIDE -> 0 : (r))

typedef Slot { byte ver; byte x[K]; byte d[K]; byte evd; byte evx; bit ovf; };
byte count = 1; byte nextx = 1+START; byte latest = START;
byte running = 0; byte committed = 0; byte mods[2];
Slot sl[2];
bit evicted, overflowed;              /* ghost */
bit Evalid; byte Eq, Ev[2], Ec[2];
byte fence[NW]; bit early[NW];
byte N = 0;

/* take a snapshot; own xid excluded from xip but counted in xmin, as GetSnapshotData() */
inline snap(F, XM, CN, own) {
  d_step {
    F = (BIT(latest+1)-1) & ~(running & ~(own -> BIT(own) : 0));
    XM = 1; do :: XM <= latest && !((running>>XM)&1) -> XM++ :: else -> break od;
    CN = count; t = 0
  }
}
/* is entry i of slot s finished for the snapshot? */
#if SET==0
#define FINISHED(s,i,F,XM,L) ((sl[s].d[i]!=0 && L>=sl[s].d[i]) || ((F>>sl[s].x[i])&1))
#elif SET==1
#define FINISHED(s,i,F,XM,L) ((F>>sl[s].x[i])&1)
#elif SET==2
#define FINISHED(s,i,F,XM,L) (sl[s].d[i]!=0 && L>=sl[s].d[i])
#elif SET==3
#define FINISHED(s,i,F,XM,L) (((F>>sl[s].x[i])&1) || F >= BIT(sl[s].x[i]))
#elif SET==5
#define FINISHED(s,i,F,XM,L) ((sl[s].d[i]!=0 && L>=sl[s].d[i]) || ((sl[s].x[i]&3) < (XM&3)))
#elif SET==4
#define FINISHED(s,i,F,XM,L) (sl[s].d[i]!=0 || ((F>>sl[s].x[i])&1))
#endif
#if EV==0
#define EVOK(s,XM,L) (sl[s].evd<=L || sl[s].evx<XM)
#elif EV==1
#define EVOK(s,XM,L) (sl[s].evd<=L)
#elif EV==2
#define EVOK(s,XM,L) (sl[s].evx<XM)
#elif EV==3
#define EVOK(s,XM,L) (true)
#else
#define EVOK(s,XM,L) (sl[s].evd<=L && sl[s].evx<XM)
#endif
inline settled(s,F,XM,L,res) {   /* inside d_step; only lowers res */
  t = 0;
  do :: t < K ->
      if :: sl[s].x[t]!=0 && !FINISHED(s,t,F,XM,L) -> res = 0
         :: else
#if HELP
            -> if :: sl[s].x[t]!=0 && sl[s].d[t]==0 ->
#if HELP==1
                 sl[s].d[t] = count
#else
                 sl[s].d[t] = L
#endif
               :: else fi
#endif
      fi; t++
     :: else -> break od;
  if :: sl[s].ovf || !EVOK(s,XM,L) -> res = 0 :: else fi;
  t = 0
}
#if EVT==1 || EVT==4 || EVT==6
#define EVICTABLE(s,i,me) ((sl[s].d[i]!=0) || !((running>>sl[s].x[i])&1))
#elif EVT==2
#define EVICTABLE(s,i,me) ((sl[s].d[i]!=0) || !(((running & ~BIT(me))>>sl[s].x[i])&1))
#elif EVT==3
#define EVICTABLE(s,i,me) (true)
#else
#define EVICTABLE(s,i,me) (sl[s].d[i]!=0)
#endif
#if OLDEST==0
#define HEALS(s) ((running & (BIT(sl[s].evx+1)-1))==0)
#elif OLDEST==1
#define HEALS(s) (sl[s].evx < ol)
#else
#define HEALS(s) (!((running>>sl[s].evx)&1))
#endif
#define MAXTO(a,b) if :: (b) > (a) -> a = (b) :: else fi
/* push xid me on slot s, with done value dn (0 = unfinished) */
inline push(s,me,dn) {           /* inside d_step */
  t = 0; u = INF; 
  /* heal evicted_done = INF */
  if :: OVF==1 && sl[s].evd==INF && HEALS(s) -> sl[s].evd = count :: else fi;
  do :: t < K ->
      if :: DEDUP && sl[s].x[t]==me -> u = t; break
         :: u==INF && sl[s].x[t]==0 -> u = t
         :: else fi; t++
     :: else -> break od;
  if :: u==INF ->
     t = 0;
     do :: t < K ->
        if :: EVICTABLE(s,t,me) -> u = t; break
           :: else fi; t++
        :: else -> break od;
     if :: u!=INF ->
#if EVT!=4
          if :: sl[s].d[u]==0 -> sl[s].d[u] = (EVT==3 -> 0 : count) :: else fi;
#endif
          if :: EVT!=6 -> MAXTO(sl[s].evd, sl[s].d[u]); MAXTO(sl[s].evx, sl[s].x[u]) :: else fi; evicted = 1
        :: else fi
     :: else fi;
  if :: u!=INF -> sl[s].x[u] = me; sl[s].d[u] = dn; MYI
#if OVF==2
        ; sl[s].ovf = 0
#endif
     :: else -> overflowed = 1;
#if OVF==1
        MAXTO(sl[s].evx, me); sl[s].evd = INF; 
#elif OVF==4
        skip
#else
        sl[s].ovf = 1
#endif
  fi; t = 0; u = 0
}
inline announce(r,me) {
#if OLDEST==1 && OVF==1
  d_step { ol = 1; do :: ol < nextx && !((running>>ol)&1) -> ol++ :: else -> break od };
#endif
  d_step {
#if ANN==3
    sl[SL(r)].ver = count; push(SL(r),me,0)
#elif ANN==2 || ANN==4
    push(SL(r),me,0)
#elif ANN==5
    sl[SL(r)].ver++
#else
    sl[SL(r)].ver++; push(SL(r),me,0)
#endif
    ; ol = 0
  }
}
inline settle1(r,me,c) {
  d_step {
#if ANN==1
    sl[SL(r)].ver++; push(SL(r),me,c);
#elif ANN==5
    push(SL(r),me,c);
#elif ANN==2
    sl[SL(r)].ver++;
#elif ANN==4
    sl[SL(r)].ver = c;
#endif
    t = 0;
#if SETIDX
    sl[SL(r)].d[myi] = c
#else
    do :: t < K -> if :: sl[SL(r)].x[t]==me && sl[SL(r)].d[t]==0 -> sl[SL(r)].d[t] = c :: else fi; t++ :: else -> break od;
#endif
#if OVF==3
    sl[SL(r)].ovf = 0;
#endif
    t = 0
  }
}
inline endxact(me) { d_step { running = running & ~BIT(me); count++; MAXTO(latest,me) } }
inline finish(m,me,lt) {       /* PRE_COMMIT onward */
  skip;   /* else, a leading 'else' would be merged into the caller's if */
#if ANN!=1
  if :: (m&1) -> announce(0,me) :: else fi;
  if :: (m&2) -> announce(1,me) :: else fi;
#endif
#if HELPOWN
  if :: id==0 -> d_step { hf=1; settled(0,(((BIT(latest+1)-1)&~running)|BIT(me)),0,count,hf) } :: else fi;
#endif
  if :: lt ->
#if LATE>=4
        fence[id] = me;
#endif
        mods[1] = mods[1] | BIT(me)
#if LATE==3
        ; announce(1,me)
#endif
     :: else fi;
  if :: committed = committed | BIT(me) :: skip fi;         /* clog, or abort */
  endxact(me);
#if PREP!=2
  if :: 
        c = count;
        if :: (m&1) -> settle1(0,me,c) :: else fi;
        if :: (m&2) -> settle1(1,me,c) :: else fi;
#if LATE==1
        if :: lt -> sl[SL(1)].ver++ :: else fi;
#elif LATE==2 || LATE>=4
        if :: lt -> d_step { sl[SL(1)].ver++; push(SL(1),me,c) } :: else fi;
#if LATE>=4
        fence[id] = 0;
#endif
#elif LATE==3
        if :: lt -> settle1(1,me,c) :: else fi;
#endif
        c = 0
#if PREP==1
     :: !lt -> skip                                           /* finished by someone else, no settle */
#endif
  fi
#endif
}

proctype W(byte id) {
  byte me, m, c, t, u, myi, ol; bit hf;
  atomic {
#if !LATE && !OWN
    nextx == id+1+START+(LOST!=0) -> skip;      /* symmetry reduction: writers are identical */
#endif
#if MSET==1
    m = 1;
#else
    if :: m = 1 :: m = 2 :: m = 3 fi;
#endif
    me = nextx; nextx++; running = running | BIT(me);
    if :: (m&1) -> mods[0] = mods[0] | BIT(me) :: else fi; if :: (m&2) -> mods[1] = mods[1] | BIT(me) :: else fi
  };
#if SUBX
  if :: count++ :: skip fi;
#endif
  if :: endxact(me)                                            /* aborts before PRE_COMMIT: nothing announced */
     :: finish(m,me,(LATE && id==0 && !(m&2)))
  fi
}

#if EARLY
/* gets its xid only when a callback after PRE_COMMIT writes R1 */
proctype WE(byte id) {
  byte me, c, t, u, myi, ol;
  c = nextx;
  d_step { fence[id] = c; early[id] = (EARLY==1); c = 0 };
  d_step { me = nextx; nextx++; running = running | BIT(me) };
  mods[1] = mods[1] | BIT(me);
  if :: committed = committed | BIT(me) :: skip fi;
  endxact(me);
  c = count;
  d_step { sl[SL(1)].ver++; push(SL(1),me,c) };
  fence[id] = 0
}
#endif

inline own_begin() {
#if OWN
  if :: d_step { me = nextx; nextx++; running = running | BIT(me) }; 
        if :: m = 1 :: m = 2 fi;
        d_step { if :: (m&1) -> mods[0] = mods[0] | BIT(me) :: else fi; if :: (m&2) -> mods[1] = mods[1] | BIT(me) :: else fi }
        if :: skip
           :: skip; if :: (m&1) -> announce(0,me) :: else fi; if :: (m&2) -> announce(1,me) :: else fi   /* query from a later PRE_COMMIT callback */
        fi
     :: skip fi
#endif
  skip
}
inline takes(F,XM,L,me) {
#if LB==1
  u = count; snap(F,XM,L,me); L = u; u = 0
#elif LB==2
  snap(F,XM,L,me); L = count
#elif LB==3
  snap(F,XM,L,me); L = 0
#else
  snap(F,XM,L,me)
#endif
}
inline fences(F,ok) {
#if LATE>=4
  u = 0;
  do :: u < NW -> d_step { if :: fence[u]!=0 && (((F>>fence[u])&1) || (early[u] && (F>>fence[u])!=0)) -> ok = 0 :: else fi; u++ } :: else -> break od; u = 0
#endif
  skip
}
#define CONTENT(r,F,me) ((mods[r] & committed & F) | (me -> (mods[r] & BIT(me)) : 0))

proctype Filler() {
  byte me, m, t, u, myi, ol, F, XM, L, q, v0, v1, c0, c1, c; bit ok = 1; byte id = 0;
  own_begin();
  takes(F,XM,L,me);
#if MSET==1
  q = 1;
#elif COLLIDE
  if :: q = 1 :: q = 3 fi;
#else
  if :: q = 1 :: q = 2 :: q = 3 fi;
#endif
#if LATE==4
  fences(F,ok);
#endif
  if :: (q&1) -> d_step { v0 = sl[SL(0)].ver;
#if SSTORE
     settled(SL(0),F,XM,L,ok)
#endif
     } :: else fi;
  if :: (q&2) -> d_step { v1 = sl[SL(1)].ver;
#if SSTORE
     settled(SL(1),F,XM,L,ok)
#endif
     } :: else fi;
#if LATE==5
  fences(F,ok);
#endif
#if LOST==1
  if :: XM < N -> ok = 0 :: else fi;
#elif LOST==3
  if :: XM < 1 -> ok = 0 :: else fi;
#endif
#if OWN!=3
  if :: (q & m) -> ok = 0 :: else fi;
#endif
  if :: ok -> 
     d_step { if :: (q&1) -> c0 = CONTENT(0,F,me) :: else fi; if :: (q&2) -> c1 = CONTENT(1,F,me) :: else fi;
     Ev[0] = v0; Ev[1] = v1; Ec[0] = c0; Ec[1] = c1; Eq = q; Evalid = 1; F = 0; XM = 0; L = 0; v0 = 0; v1 = 0; c0 = 0; c1 = 0; q = 0 }
     :: else fi
#if OWN
  ; if :: me!=0 -> finish(m,me,0) :: else fi
#endif
}

proctype Reader() {
  byte me, m, t, u, myi, ol, F, XM, L, c; bit ok = 1; byte id = 0;
  own_begin();
  takes(F,XM,L,me);
  Evalid;
#if LATE==4
  fences(F,ok);
#endif
  if :: (Eq&1) -> d_step {
#if VHIT
     if :: sl[SL(0)].ver != Ev[0] -> ok = 0 :: else fi;
#endif
#if SHIT
     settled(SL(0),F,XM,L,ok)
#endif
     } :: else fi;
  if :: ok && (Eq&2) -> d_step {
#if VHIT
     if :: sl[SL(1)].ver != Ev[1] -> ok = 0 :: else fi;
#endif
#if SHIT
     settled(SL(1),F,XM,L,ok)
#endif
     } :: else fi;
#if LATE==5
  fences(F,ok);
#endif
#if LOST==1
  if :: XM < N -> ok = 0 :: else fi;
#endif
#if OWN!=2
  if :: (Eq & m) -> ok = 0 :: else fi;
#endif
  if :: ok ->
#if REACH==1
     assert(false);
#elif REACH==2
     assert(!evicted);
#elif REACH==3
     assert(!overflowed);
#elif REACH==4
     assert(running==0 || (sl[0].x[0]==0));
#elif REACH==5
     assert(!(Ec[0] & ~1) || !evicted);
#endif
     if :: (Eq&1) -> assert(Ec[0] == CONTENT(0,F,me)) :: else fi;
     if :: (Eq&2) -> assert(Ec[1] == CONTENT(1,F,me)) :: else fi
     :: else fi
}
/* finishes the transaction that was prepared before the restart; no settle, no announcement */
proctype Pfin() {
  if :: committed = committed | BIT(1) :: skip fi;
  endxact(1)
}
init {
  byte i = 0;
  atomic {
#if LOST
    nextx = 2; running = BIT(1); N = 2; 
    if :: mods[0] = BIT(1) :: mods[1] = BIT(1) :: mods[0] = BIT(1); mods[1] = BIT(1) fi;
    run Pfin();
#endif
    run Filler(); run Reader();
#if EARLY
    run WE(i); i++;
#endif
    do :: i < NW -> run W(i); i++ :: else -> break od
  }
}
