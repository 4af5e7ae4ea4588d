/* model.js - for pages.sh: what a page shows after each event, held against a second opinion of it, which knows of the
 * page only what a reader sees. It follows the events as runtime/debug/trace.c describes them: a "state" says how the
 * loop is after the event behind it, a step lasts from "resumed" to "step ends", a wait from "waits" to "ready". */
'use strict';
if(testing)(function(){
 const known=new Map(),wrong=[];
 const now={run:'',waits:new Set(),state:null,printed:'',depth:new Map()};
 const ours=calls=>calls.filter(c=>!c.call.startsWith('async_')).length;
 const named=ids=>ids.filter(id=>known.has(id)).map(id=>known.get(id));
 const jobs=state=>state?[...state.batch,...state.ready].filter(j=>!j.task||known.has(j.task)).map(j=>j.task?known.get(j.task):'☎'):[];

 /* A loop that does not run tells no state: of what its queue gets then only these events know. */
 function becomesReady(t){
  now.state=now.state||{batch:[],ready:[],timers:[]};
  if(![...now.state.batch,...now.state.ready].some(j=>j.task===t))now.state={...now.state,ready:[...now.state.ready,{task:t}]}}

 const whole=state=>!state||state.batch.length<24&&state.ready.length<24;          /* of more a state lists the first */

 function happens(e){
  const t=e.task;
  switch(e.event){
  case 'state':now.state=e;break;
  case 'created':
   if(e.coroutine.startsWith('async_loop_shutdown'))break;
   known.set(t,e.name);
   now.depth.set(t,ours([{call:e.coroutine}]));
   becomesReady(t);
   break;
  case 'renamed':if(known.has(t))known.set(t,e.name);break;
  case 'resumed':if(known.has(t))now.run=t;break;
  case 'step ends':now.run='';break;
  case 'waits':if(known.has(t))now.waits.add(t);now.depth.set(t,ours(e.calls));break;
  case 'ready':now.waits.delete(t);becomesReady(t);if(e.calls)now.depth.set(t,ours(e.calls));break;
  case 'finished':now.waits.delete(t);now.depth.delete(t);break;
  case 'entered':case 'left':case 'yielded':
   if(!e.name.startsWith('async_'))now.depth.set(t,now.depth.get(t)+(e.event==='entered'?1:-1));break;
  case 'printed':case 'end':case 'cut':now.printed+=e.text;break;
  }}
 const expected=()=>({run:now.run?known.get(now.run):'',ready:whole(now.state)?jobs(now.state).join(' '):null,
  timers:now.state?now.state.timers.map(t=>t.due).filter(x=>x<1e9).sort((a,b)=>a-b).map(x=>`${+x.toFixed(3)} s`).join(' '):'',
  waits:named([...now.waits]).sort().join(' '),printed:now.printed,
  stack:now.run?now.depth.get(now.run):0});

 const chips=id=>[...document.querySelectorAll(`#${id} .chip`)];
 const name=chip=>{const copy=chip.cloneNode(true),sign=copy.querySelector('i').textContent;copy.querySelectorAll('i,small').forEach(x=>x.remove());return sign==='☎'?'☎':copy.textContent.trim()};
 function shown(){
  const run=chips('run').map(name).filter(x=>x!=='☎');
  return {run:run.join(' '),ready:chips('ready').map(name).join(' '),
   timers:chips('timers').map(c=>/^[\d.]+ s/.exec(c.textContent)[0]).join(' '),
   waits:chips('waits').map(name).sort().join(' '),printed:document.querySelector('#out .none')?'':document.getElementById('out').textContent,
   stack:run.length?document.querySelectorAll('#run .calls span').length:0}}

 /* A page may tell one event in several steps, of which the last one shows what is so then. A state comes before its
  * event, so there the two need not agree yet; nor where the page is cut off between the two. */
 const last=i=>i===F.length-1||F[i+1].event!==F[i].event,told=new Map();
 let done=-1;
 F.forEach((f,i)=>{
  while(done<f.event)happens(D.events[++done]);
  if(last(i)&&!['state','cut'].includes(D.events[f.event].event))told.set(i,expected())});
 const check=(i,way)=>{if(!told.has(i))return;const a=told.get(i),b=shown();
  for(const key in a)if(a[key]!==null&&String(a[key])!==String(b[key]))
   wrong.push(`event ${i+1} ${way} (${D.events[F[i].event].event}): ${key} is "${b[key]}", and should be "${a[key]}"`)};
 go(0);
 for(let i=0;i<F.length;i++){check(i,'forwards');if(i<F.length-1)next()}
 for(let i=F.length-1;i>=0;i--){check(i,'backwards');back()}
 const verdict=`${wrong.length||told.size<5?'failed':'ok'} model ${decodeURI(location.pathname)}: ${told.size} events are compared; ${wrong.slice(0,4).join('; ')}`;
 document.body.dataset.model=verdict;
 if(parent!==window)parent.postMessage(verdict,'*')
})();
